// SPDX-License-Identifier: GPL-2.0
///
/// The end of struct vm_uffd_ops: its definition, the member of
/// vm_operations_struct, the tables and whatever still points to them.
///
//  Confidence: High
//  Copyright: (C) 2026 the authors of the uffd-types series
//  URL: https://coccinelle.gitlabpages.inria.fr/website/
//  Comments: For mm itself, where nothing follows the member any more. For
//  Comments: others there is convert_uffd_ops.cocci.
//  Comments: spatch leaves empty #ifdef pairs behind, regen takes them out.
//  Options: --include-headers --no-includes
//  Keywords: userfaultfd uffd_ops vm_uffd_ops
//  Requires: 1.1.1

virtual patch

@depends on patch@
@@

- struct vm_uffd_ops;

@depends on patch@
@@

- struct vm_uffd_ops { ... };

@depends on patch@
identifier F;
@@

struct vm_operations_struct {
	...
-	const struct vm_uffd_ops *F;
	...
};

@depends on patch@
identifier I;
expression E;
@@

struct vm_operations_struct I = {
-	.uffd_ops = E,
};

@depends on patch@
identifier T;
@@

- struct vm_uffd_ops T = { ... };

@depends on patch@
identifier T;
@@

- struct vm_uffd_ops T;
