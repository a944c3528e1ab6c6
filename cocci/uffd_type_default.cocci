// SPDX-License-Identifier: GPL-2.0
///
/// A switch over userfaultfd's memory types has no default: -Wswitch then
/// names every step that a new type has to fill in. With a default the new
/// type is built without a warning and does at run time what the default says.
///
//  Confidence: High
//  Copyright: (C) 2026 the authors of the uffd-types series
//  URL: https://coccinelle.gitlabpages.inria.fr/website/
//  Comments: The switch is known by the type of its expression, by the name
//  Comments: of the function that it calls, or by a label UFFD_TYPE_*.
//  Options: --include-headers --include-headers-for-types
//  Keywords: userfaultfd switch default Wswitch
//  Requires: 1.1.1

virtual context
virtual org
virtual report

@bytype exists@
enum uffd_type E;
position s;
@@

switch@s (E) { default: ... }

@byname exists@
identifier C =~ "^UFFD_TYPE_";
// No | and (): they are PCRE's, and spatch may be built with OCaml's Str.
identifier f1 =~ "uffd_[a-z_]*type$", f2 =~ "fill_[a-z_]*type$";
identifier F = {uffd_type};
expression X;
position s;
@@

(
switch@s (...) { case C: ... }
|
switch@s (f1(...)) { default: ... }
|
switch@s (f2(...)) { default: ... }
|
switch@s (X->F) { default: ... }
|
switch@s (X.F) { default: ... }
)

@found exists@
position s = {bytype.s, byname.s};
position p;
@@

switch@s (...) { default:@p ... }

//----------------------------------------------------------
//  For context mode
//----------------------------------------------------------

@depends on context@
position found.p;
@@

switch (...) {
* default:@p
  ...
}

//----------------------------------------------------------
//  For org and report mode
//----------------------------------------------------------

@script:python depends on org@
p << found.p;
@@

coccilib.org.print_todo(p[0], "default over userfaultfd's memory types")

@script:python depends on report@
p << found.p;
@@

coccilib.report.print_report(p[0], "default over userfaultfd's memory types")
