// SPDX-License-Identifier: GPL-2.0
///
/// Only mm delivers userfaults and arms VMAs for them: handle_userfault()
/// drops the mmap lock or VMA lock, and a VM_UFFD_* flag without a context
/// that belongs to it is a fault that nobody answers.
///
//  Confidence: High
//  Copyright: (C) 2026 the authors of the uffd-types series
//  URL: https://coccinelle.gitlabpages.inria.fr/website/
//  Comments: Run at the top of the tree, mm/ is told by the file's path.
//  Comments: Tests of the flags, and clearing them, are not reported.
//  Comments: Raw bit values are not seen.
//  Options: --include-headers --no-includes
//  Keywords: userfaultfd handle_userfault VM_UFFD_MISSING VM_UFFD_WP
//  Requires: 1.1.1

virtual context
virtual org
virtual report

// Called, or its address taken
@deliver depends on !(file in "mm")@
symbol handle_userfault;
position p;
@@

  handle_userfault@p

@tested@
identifier M =~ "^_*VMA*_UFFD_";
identifier f !~ "^_*mk_vma_flags";
expression E;
position p;
@@

(
  ~(<+... M@p ...+>)
|
  E & (<+... M@p ...+>)
|
  (<+... M@p ...+>) & E
|
  E &= <+... M@p ...+>
|
  f(..., <+... M@p ...+>, ...)
)

@assigned depends on !(file in "mm")@
identifier M =~ "^_*VMA*_UFFD_";
identifier F = {flags, vm_flags, vma_flags, __flags, __vm_flags, __vma_flags};
expression V, E;
position p != tested.p;
@@

(
  V->F = <+... M@p ...+>
|
  V->F |= <+... M@p ...+>
|
  V->F ^= <+... M@p ...+>
|
  V.F = <+... M@p ...+>
|
  V.F |= <+... M@p ...+>
|
  V.F ^= <+... M@p ...+>
|
  ACCESS_PRIVATE(E, F) = <+... M@p ...+>
|
  ACCESS_PRIVATE(E, F) |= <+... M@p ...+>
)

@cleared@
identifier M =~ "^_*VMA*_UFFD_";
identifier mod = {vm_flags_mod, __vm_flags_mod};
expression V, E;
position p;
@@

(
  ~(<+... M@p ...+>)
|
  mod(V, E, <+... M@p ...+>)
)

@set depends on !(file in "mm")@
identifier M =~ "^_*VMA*_UFFD_";
identifier f = {vm_flags_init, vm_flags_reset, vm_flags_reset_once, vm_flags_set, vm_flags_mod, __vm_flags_mod,
	vma_flags_set, vma_flags_set_mask, vma_flags_reset_once, vma_set_flags, vma_set_flags_mask, vma_desc_set_flags,
	vma_desc_set_flags_mask, vma_set_atomic_flag, set_bit, __set_bit, do_mmap, mmap_region};
position p != cleared.p;
@@

  f(..., <+... M@p ...+>, ...)

// By way of a local variable
@bylocal depends on !(file in "mm") exists@
identifier M =~ "^_*VMA*_UFFD_";
identifier f = {vm_flags_init, vm_flags_reset, vm_flags_reset_once, vm_flags_set, vm_flags_mod, __vm_flags_mod,
	vma_flags_set_mask, vma_flags_reset_once, vma_set_flags_mask, vma_desc_set_flags_mask, do_mmap, mmap_region};
identifier F = {flags, vm_flags, vma_flags, __flags, __vm_flags, __vma_flags};
local idexpression V;
expression X;
position p != tested.p;
@@

(
  V = <+... M@p ...+>
|
  V |= <+... M@p ...+>
)
  ... when != V = X
(
  f(..., V, ...)
|
  f(..., V | X, ...)
|
  X->F = V
|
  X->F |= V
|
  X->F = X | V
)

//----------------------------------------------------------
//  For context mode
//----------------------------------------------------------

@depends on context@
position deliver.p;
symbol handle_userfault;
@@

* handle_userfault@p

@depends on context@
identifier M;
position assigned.p;
@@

* M@p

@depends on context@
identifier M;
position set.p;
@@

* M@p

@depends on context@
identifier M;
position bylocal.p;
@@

* M@p

//----------------------------------------------------------
//  For org and report mode
//----------------------------------------------------------

@initialize:python depends on org@
@@

def say(p, message):
	coccilib.org.print_todo(p, message)

@initialize:python depends on report@
@@

def say(p, message):
	coccilib.report.print_report(p, message)

@script:python depends on org || report@
p << deliver.p;
@@

say(p[0], "handle_userfault() used outside mm")

@script:python depends on org || report@
p << assigned.p;
x << assigned.M;
@@

say(p[0], "%s set outside mm" % x)

@script:python depends on org || report@
p << set.p;
x << set.M;
@@

say(p[0], "%s set outside mm" % x)

@script:python depends on org || report@
p << bylocal.p;
x << bylocal.M;
@@

say(p[0], "%s set outside mm" % x)
