# SPDX-License-Identifier: GPL-2.0
# A folded Subject: header on one line: b4 0.12 of Debian 12 dies on one of two.
/^From / && (NR == 1 || last == "") { head = 1 }
{ last = $0 }
held != "" && /^[ \t]/ { sub(/^[ \t]+/, " "); held = held $0; next }
held != "" { print held; held = "" }
$0 == "" { head = 0 }
head && /^Subject:/ { held = $0; next }
{ print }
END { if (held != "") print held }
