
static vm_fault_t planted_fault(struct vm_fault *vmf)
{
	if (userfaultfd_missing(vmf->vma))
		return handle_userfault(vmf, VM_UFFD_MISSING); /* DEFECT */
	return 0;
}
