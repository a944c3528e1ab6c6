
static int planted_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_DONTDUMP | VM_UFFD_MISSING); /* DEFECT */
	return 0;
}
