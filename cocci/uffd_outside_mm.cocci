// SPDX-License-Identifier: GPL-2.0
///
/// Only mm delivers userfaults and arms VMAs for them: handle_userfault()
/// drops the mmap lock or VMA lock, and a VM_UFFD_* flag without a context
/// that belongs to it is a fault that nobody answers. Of what mm offers for
/// guest_memfd KVM is the one user.
///
//  Confidence: High
//  Copyright: (C) 2026 the authors of the uffd-types series
//  URL: https://coccinelle.gitlabpages.inria.fr/website/
//  Comments: Run at the top of the tree, mm/ is told by the file's path.
//  Comments: Any mention of a flag is reported, except in a test, where it is
//  Comments: cleared, and in the macros that define sets of the flags.
//  Comments: Raw bit values are not seen.
//  Options: --include-headers --no-includes
//  Keywords: userfaultfd handle_userfault VM_UFFD_MISSING VM_UFFD_WP
//  Requires: 1.1.1

virtual context
virtual org
virtual report

// Called, or its address taken
@deliver depends on !(file in "mm")@
identifier D = {handle_userfault};
position p;
@@

  D@p

@gmem depends on !(file in "mm") && !(file in "virt/kvm/guest_memfd.c")@
identifier D = {guest_memfd_userfault, mapping_set_guest_memfd};
position p;
@@

  D@p

@store depends on !(file in "mm")@
identifier C = {vm_userfaultfd_ctx};
identifier f = {WRITE_ONCE, smp_store_release, rcu_assign_pointer, xchg, cmpxchg, memcpy, memset};
expression V, E;
position p;
@@

(
  V->C@p = E
|
  V.C@p = E
|
  V->C@p.ctx = E
|
  V.C@p.ctx = E
|
  f(<+... \(V->C@p\|V.C@p\) ...+>, ...)
)

// What is no arming: the flag is cleared, tested (not if what the mask leaves
// is set), or in a macro whose own name is looked for
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

@kept@
identifier M =~ "^_*VMA*_UFFD_";
identifier f =~ "^_*vma*_[a-z_]*set";
identifier F =~ "flags$";
expression V, E, X;
position p != cleared.p;
@@

(
  f(..., \(E & (<+... M@p ...+>)\|(<+... M@p ...+>) & E\), ...)
|
  \(V->F\|V.F\) |= \(E & (<+... M@p ...+>)\|(<+... M@p ...+>) & E\)
|
  \(X | (E & (<+... M@p ...+>))\|(E & (<+... M@p ...+>)) | X\)
)

@tested@
identifier M =~ "^_*VMA*_UFFD_";
identifier test =~ "^_*vma*_[a-z_]*test", clear =~ "^_*vma*_[a-z_]*clear";
identifier f = {ilog2, handle_userfault};
expression E;
position p != kept.p;
@@

(
  \(E & (<+... M@p ...+>)\|(<+... M@p ...+>) & E\)
|
  E &= <+... M@p ...+>
|
  \(E == M@p\|M@p == E\|E != M@p\|M@p != E\)
|
  \(test\|clear\|f\)(..., <+... M@p ...+>, ...)
)

@label@
identifier M =~ "^_*VMA*_UFFD_";
position p;
@@

  switch (...) { case M@p: ... }

@named@
identifier M =~ "^_*VMA*_UFFD_", N =~ "^_*VMA*_UFFD_", fork = {VM_COPY_ON_FORK};
position p;
@@

(
  #define N <+... M@p ...+>
|
  #define fork <+... M@p ...+>
)

// A local variable that is a mask, and nothing else
@taken@
identifier M =~ "^_*VMA*_UFFD_";
local idexpression L;
position p;
@@

  \(L@p = <+... M ...+>\|L@p |= <+... M ...+>\)

@masking@
local idexpression taken.L;
identifier test =~ "^_*vma*_[a-z_]*test", clear =~ "^_*vma*_[a-z_]*clear";
identifier mod = {vm_flags_mod, __vm_flags_mod};
expression V, E;
position p;
@@

(
  ~(<+... L@p ...+>)
|
  <+... \(E & L@p\|E == L@p\|L@p && E\) ...+>
|
  \(L@p = E\|E &= L@p\)
|
  \(test\|clear\)(..., <+... L@p ...+>, ...)
|
  mod(V, E, <+... L@p ...+>)
)

@asking@
local idexpression taken.L;
statement S1, S2;
position p;
@@

  if (L@p) S1 else S2

@spread exists@
identifier M =~ "^_*VMA*_UFFD_";
local idexpression taken.L;
expression X;
position p, q != {taken.p, masking.p, asking.p};
@@

  \(L = <+... M@p ...+>\|L |= <+... M@p ...+>\)
  ... when != L = X
  L@q

@mask@
identifier M =~ "^_*VMA*_UFFD_";
local idexpression taken.L;
position p != spread.p;
@@

  \(L = <+... M@p ...+>\|L |= <+... M@p ...+>\)

@armed depends on !(file in "mm")@
identifier M =~ "^_*VMA*_UFFD_";
position p != {cleared.p, tested.p, label.p, named.p, mask.p};
@@

  M@p

//----------------------------------------------------------
//  For context mode
//----------------------------------------------------------

@depends on context@
identifier D;
position deliver.p;
@@

* D@p

@depends on context@
identifier D;
position gmem.p;
@@

* D@p

@depends on context@
identifier C;
expression V;
position store.p;
@@

(
* V->C@p
|
* V.C@p
)

@depends on context@
identifier M;
position armed.p;
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
x << deliver.D;
@@

say(p[0], "%s() used outside mm" % x)

@script:python depends on org || report@
p << gmem.p;
x << gmem.D;
@@

say(p[0], "%s() used outside mm" % x)

@script:python depends on org || report@
p << store.p;
x << store.C;
@@

say(p[0], "%s set outside mm" % x)

@script:python depends on org || report@
p << armed.p;
x << armed.M;
@@

say(p[0], "%s set outside mm" % x)
