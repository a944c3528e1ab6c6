// SPDX-License-Identifier: GPL-2.0
///
/// userfaultfd's mode bits: ask for the operation with ==, and for the
/// write-protect flag by its name, instead of decoding uffd_flags_t.
///
//  Confidence: High
//  Copyright: (C) 2026 the authors of the uffd-types series
//  URL: https://coccinelle.gitlabpages.inria.fr/website/
//  Comments: The tests, the copies in locals, and the parameters. By hand: what
//  Comments: callers hand over, the definitions, and a chain of tests that
//  Comments: becomes a switch.
//  Options: --include-headers --include-headers-for-types --smpl-spacing
//  Keywords: userfaultfd uffd_flags_t mfill_atomic_mode
//  Requires: 1.1.1

virtual patch

// What carries both through an operation
@depends on patch@
@@

struct mfill_state {
	...
-	uffd_flags_t flags;
+	enum mfill_atomic_mode mode;
+	bool wp;
	...
};

// A function that copies it into a local variable
@local_copy depends on patch@
identifier fn, S, flags;
@@

fn(..., struct mfill_state *S, ...)
{
	...
	uffd_flags_t flags = S->flags;
	... when any
}

@depends on patch@
identifier local_copy.fn, local_copy.S, local_copy.flags;
expression M;
@@

fn(..., struct mfill_state *S, ...)
{
<...
(
- !uffd_flags_mode_is(flags, M)
+ S->mode != M
|
- uffd_flags_mode_is(flags, M)
+ S->mode == M
|
- (flags & MFILL_ATOMIC_WP)
+ S->wp
|
- flags & MFILL_ATOMIC_WP
+ S->wp
|
  mfill_atomic_install_pte(...,
- flags
+ S->wp
  )
|
  hugetlb_mfill_atomic_pte(...,
- flags
+ S->mode, S->wp
  , ...)
)
...>
}

// It stays where something else is done with it: that is for a human
@depends on patch@
identifier local_copy.fn, local_copy.S, local_copy.flags;
@@

fn(..., struct mfill_state *S, ...)
{
	...
-	uffd_flags_t flags = S->flags;
	... when != flags
}

// A function that takes it as a parameter: which part, is known by its name
@install depends on patch@
identifier fn = {mfill_atomic_install_pte};
identifier flags;
parameter list P;
@@

fn(P,
-	uffd_flags_t flags
+	bool wp
  )
{
<...
- flags & MFILL_ATOMIC_WP
+ wp
...>
}

@fill depends on patch@
identifier fn = {hugetlb_mfill_atomic_pte};
identifier flags;
parameter list[n] P;
parameter list Q;
expression M;
@@

fn(P,
-	uffd_flags_t flags
+	enum mfill_atomic_mode mode, bool wp
  , Q)
{
<...
(
- !uffd_flags_mode_is(flags, M)
+ mode != M
|
- uffd_flags_mode_is(flags, M)
+ mode == M
|
- (flags & MFILL_ATOMIC_WP)
+ wp
|
- flags & MFILL_ATOMIC_WP
+ wp
)
...>
}

@depends on patch@
identifier fn = {hugetlb_mfill_atomic_pte};
identifier flags;
parameter list[n] P;
parameter list Q;
type T;
@@

T fn(P,
-	uffd_flags_t flags
+	enum mfill_atomic_mode mode, bool wp
  , Q);

// An ioctl that sets it from the user's mode
@ioctl depends on patch@
identifier flags;
expression E;
identifier M;
@@

- uffd_flags_t flags = 0;
+ bool wp;
  ...
- if (E & M)
- 	flags |= MFILL_ATOMIC_WP;
+ wp = E & M;
  <...
- flags
+ wp
  ...>
