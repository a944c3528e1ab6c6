/* A default over the type enum, in all its spellings */
struct foo_state {
	enum uffd_type type;
	int n;
};

static int by_parameter(enum uffd_type type)
{
	switch (type) {
	case UFFD_TYPE_ANON:
		return 1;
	case UFFD_TYPE_SHMEM:
		break;
	default:
		return 2;
	}
	return 0;
}

static int by_member(struct foo_state *state)
{
	switch (state->type) {
	default:
		VM_WARN_ON_ONCE(1);
		fallthrough;
	case UFFD_TYPE_ANON:
		return 1;
	}
}

static int by_local(struct vm_area_struct *vma)
{
	const enum uffd_type t = vma_uffd_type(vma);

	switch (t) {
	default:
		return 2;
	}
}

static int by_call(struct vm_area_struct *vma)
{
	switch (vma_uffd_type(vma)) {
	case UFFD_TYPE_ANON ... UFFD_TYPE_SHMEM:
		return 3;
	default:
		return 2;
	}
}

/* Its type is told by the labels only */
static int by_label(struct bar_state *state)
{
	switch (state->kind) {
	case UFFD_TYPE_HUGETLB: {
		int n = state->n;

		if (n)
			return n;
		break;
	}
	default:
		break;
	}
	return 0;
}

static int nested(struct foo_state *state)
{
	switch (state->n) {
	case 1:
		switch (state->type) {
		case UFFD_TYPE_ANON:
			break;
		default:
			return 1;
		}
		break;
	}
	return 0;
}

/* Must not match: all types listed, and defaults of other switches around */
static int closed(struct foo_state *state)
{
	switch (state->type) {
	case UFFD_TYPE_ANON:
		switch (state->n) {
		case 1:
			return 1;
		default:
			return 2;
		}
	case UFFD_TYPE_HUGETLB:
	case UFFD_TYPE_SHMEM:
	case UFFD_TYPE_NONE:
		break;
	}

	switch (state->n) {
	case 3:
		switch (state->type) {
		case UFFD_TYPE_ANON:
		case UFFD_TYPE_HUGETLB:
		case UFFD_TYPE_SHMEM:
		case UFFD_TYPE_NONE:
			break;
		}
		break;
	default:
		break;
	}
	return 0;
}

static int other(enum foo_type type, struct foo *foo)
{
	switch (type) {
	case FOO_TYPE_ANON:
		return 1;
	default:
		return 2;
	}

	switch (foo->mode) {
	case MFILL_ATOMIC_COPY:
		return 1;
	default:
		return 2;
	}

	switch (foo->uffd_fault_type) {
	case KVM_FAULT_MISSING:
		return 1;
	default:
		return 2;
	}
}
