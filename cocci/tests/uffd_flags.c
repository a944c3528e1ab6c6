/* userfaultfd's mode bits, in the spellings that mm has */
struct mfill_state {
	struct userfaultfd_ctx *ctx;
	unsigned long len;
	uffd_flags_t flags;

	struct vm_area_struct *vma;
};

static int mfill_atomic_install_pte(pmd_t *dst_pmd, struct page *page,
				    uffd_flags_t flags)
{
	if (flags & MFILL_ATOMIC_WP)
		return 1;
	return 0;
}

int hugetlb_mfill_atomic_pte(pte_t *dst_pte, unsigned long src_addr,
			     uffd_flags_t flags,
			     struct folio **foliop);

int hugetlb_mfill_atomic_pte(pte_t *dst_pte, unsigned long src_addr,
			     uffd_flags_t flags,
			     struct folio **foliop)
{
	bool is_continue = uffd_flags_mode_is(flags, MFILL_ATOMIC_CONTINUE);
	bool wp_enabled = (flags & MFILL_ATOMIC_WP);

	if (!uffd_flags_mode_is(flags, MFILL_ATOMIC_POISON))
		return is_continue;
	return wp_enabled && !(flags & MFILL_ATOMIC_WP);
}

static int check(struct mfill_state *state)
{
	uffd_flags_t flags = state->flags;
	int err;

	if ((flags & MFILL_ATOMIC_WP) && !state->vma)
		return -EINVAL;
	if (!uffd_flags_mode_is(flags, MFILL_ATOMIC_CONTINUE) ||
	    uffd_flags_mode_is(flags, MFILL_ATOMIC_COPY))
		return -EINVAL;
	err = mfill_atomic_install_pte(NULL, NULL, flags);
	if (err)
		return err;
	return hugetlb_mfill_atomic_pte(NULL, 0, flags, NULL);
}

/* The copy stays where it is used otherwise */
static int warn(struct mfill_state *state)
{
	uffd_flags_t flags = state->flags;

	if (uffd_flags_mode_is(flags, MFILL_ATOMIC_COPY))
		return 0;
	VM_WARN_ONCE(1, "Unknown UFFDIO operation, flags: %x", flags);
	return -EOPNOTSUPP;
}

static int ioctl_copy(struct userfaultfd_ctx *ctx, struct uffdio_copy uffdio_copy)
{
	uffd_flags_t flags = 0;

	if (!uffdio_copy.len)
		return -EINVAL;
	if (uffdio_copy.mode & UFFDIO_COPY_MODE_WP)
		flags |= MFILL_ATOMIC_WP;
	return mfill_atomic_copy(ctx, uffdio_copy.len, flags);
}

/* Nothing of this may change: other flags, another state */
static int other(struct foo_state *state, unsigned int flags)
{
	unsigned int mode = state->flags;

	if (flags & FOO_WP)
		return mode & FOO_WP;
	return foo_flags_mode_is(flags, FOO_COPY);
}
