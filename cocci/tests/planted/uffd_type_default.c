
static int planted_step(struct vm_area_struct *vma)
{
	switch (vma_uffd_type(vma)) {
	case UFFD_TYPE_ANON:
		return 0;
	default: /* DEFECT */
		return -EINVAL;
	}
}
