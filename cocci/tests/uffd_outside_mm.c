/* Userfaults delivered, or VMAs armed, by a driver: in all spellings */
static vm_fault_t deliver(struct vm_fault *vmf)
{
	if (userfaultfd_missing(vmf->vma))
		return handle_userfault(vmf, VM_UFFD_MISSING);
	return 0;
}

static const struct foo_hooks foo_hooks = { .fault = handle_userfault, };
static vm_fault_t (*fn)(struct vm_fault *, unsigned long) = &handle_userfault;

static int by_local(struct vm_area_struct *vma)
{
	vm_flags_t flags = VM_UFFD_MISSING;

	vm_flags_set(vma, VM_IO | flags);
	return 0;
}

static int arm(struct vm_area_struct *vma, struct vm_area_desc *desc)
{
	vm_flags_t flags, mask = VM_UFFD_MISSING | VM_UFFD_WP;
	vma_flags_t vf;

	vma->vm_flags |= VM_UFFD_MISSING;
	vma->vm_flags = vma->vm_flags | VM_UFFD_WP;
	vma->vm_flags = (vma->vm_flags & ~VM_UFFD_MISSING) | VM_UFFD_MINOR;
	vma->__vm_flags |= VM_UFFD_RWP;
	ACCESS_PRIVATE(vma, __vm_flags) |= VM_UFFD_WP;
	desc->vm_flags |= VM_IO | VM_UFFD_WP;
	vm_flags_set(vma, VM_IO | VM_UFFD_WP);
	vm_flags_mod(vma, VM_UFFD_MINOR, VM_UFFD_WP);
	vm_flags_reset(vma, (vma->vm_flags & ~VM_UFFD_WP) | VM_UFFD_MISSING);
	vma_set_flags(vma, VMA_IO_BIT, VMA_UFFD_WP_BIT);
	vma_desc_set_flags(desc, VMA_UFFD_MISSING_BIT);
	vma_flags_set_mask(&vma->flags, VMA_UFFD_WP);
	vma->flags = mk_vma_flags(VMA_UFFD_MISSING_BIT);
	__set_bit(VMA_UFFD_WP_BIT, vma->flags.__vma_flags);
	flags = VM_UFFD_MISSING;
	if (mask)
		vm_flags_set(vma, flags);
	desc->vm_flags |= __VM_UFFD_FLAGS;
	vf = mk_vma_flags(VMA_UFFD_MISSING_BIT);
	vma_set_flags_mask(vma, vf);
	return 0;
}

/* Must not match */
static int look_and_disarm(struct vm_area_struct *vma)
{
	bool wp = vma->vm_flags & VM_UFFD_WP;
	vm_flags_t mask = VM_UFFD_MISSING | VM_UFFD_WP;
	vm_flags_t flags;

	if (vma->vm_flags & mask)
		return 1;
	flags = vma->vm_flags & VM_UFFD_WP;
	flags &= ~VM_UFFD_WP;
	vma->vm_flags &= ~__VM_UFFD_FLAGS;
	vma->vm_flags = vma->vm_flags & ~VM_UFFD_WP;
	vm_flags_clear(vma, VM_UFFD_MISSING);
	vm_flags_mod(vma, VM_IO, VM_UFFD_WP | VM_UFFD_MINOR);
	vma_flags_clear_mask(&vma->flags, __VMA_UFFD_FLAGS);
	wp = vma_test_any_mask(vma, VMA_UFFD_WP);
	my_handle_userfault(vma);
	return vma->vm_flags & VM_UFFD_MISSING ? 1 : 0;
}
