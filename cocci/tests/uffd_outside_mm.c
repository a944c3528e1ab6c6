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

static int mask_is_tested(struct vm_area_struct *vma, unsigned long reason)
{
	const vm_flags_t mask = VM_UFFD_WP | VM_UFFD_MINOR;
	vm_flags_t clear = VM_UFFD_MISSING;

	if (reason)
		clear |= VM_UFFD_WP;
	vm_flags_mod(vma, VM_IO, clear);
	vm_flags_set(vma, (vma->vm_flags & VM_UFFD_WP) ? VM_DONTDUMP : VM_IO);
	if (reason == VM_UFFD_WP || VM_UFFD_RWP != VM_NONE)
		return 1;
	switch (reason) {
	case VM_UFFD_MINOR:
		return 1;
	}
	return mask && (vma->vm_flags & mask) == mask;
}

#define __VM_UFFD_TRACKED (VM_UFFD_WP | VM_UFFD_RWP)
static const char mnemonics[BITS_PER_LONG][2] = { [ilog2(VM_UFFD_WP)] = "uw", };

static void *context_is_read(struct vm_area_struct *vma)
{
	return vma->vm_userfaultfd_ctx.ctx == foo_ctx ? foo_ctx : vma->vm_userfaultfd_ctx.ctx;
}

/* Flags that travel: by a macro, a table, a function, another variable */
#define FOO_VM_FLAGS (VM_IO | VM_UFFD_MISSING)
static const vm_flags_t foo_flags[] = { VM_IO, VM_IO | VM_UFFD_WP };
static struct vm_area_desc foo_desc = { .vm_flags = VM_UFFD_MINOR };

static vm_flags_t flags_of(struct file *file)
{
	return file->private_data ? VM_UFFD_MISSING : 0;
}

static int arm_otherwise(struct vm_area_struct *vma, struct vm_area_desc *desc)
{
	vm_flags_t tested = VM_UFFD_RWP, first = VM_UFFD_MISSING, second;

	vma->vm_flags |= BIT(VMA_UFFD_WP_BIT);
	desc->vma_flags = append_vma_flags(desc->vma_flags, VMA_UFFD_WP_BIT);
	WRITE_ONCE(vma->vm_flags, vma->vm_flags | VM_UFFD_WP);
	_install_special_mapping(foo_mm, 0, 1, VM_READ | VM_UFFD_MISSING, &foo_mapping);
	vma_flags_set_flag(&vma->flags, VMA_UFFD_MISSING_BIT);
	vma_flags_set_word(&vma->flags, VM_UFFD_MISSING);
	vm_flags_set(vma, foo_vma->vm_flags & VM_UFFD_WP);
	vma->vm_flags |= foo_vma->vm_flags & (VM_UFFD_WP | VM_IO);
	vm_flags_set(vma, VM_IO | (foo_vma->vm_flags & VM_UFFD_MISSING));
	vma->vm_flags = (foo_vma->vm_flags & VM_UFFD_WP) | vma->vm_flags;
	if (!(vma->vm_flags & tested))
		vm_flags_set(vma, tested);
	second = VM_IO | first;
	vm_flags_set(vma, second);
	return 0;
}

/* guest_memfd is KVM's */
static const struct vm_operations_struct foo_vm_ops = { .fault = guest_memfd_userfault };

static int contexts(struct vm_area_struct *vma, struct inode *inode)
{
	mapping_set_guest_memfd(inode->i_mapping);
	vma->vm_userfaultfd_ctx.ctx = foo_ctx;
	vma->vm_userfaultfd_ctx = NULL_VM_UFFD_CTX;
	WRITE_ONCE(vma->vm_userfaultfd_ctx.ctx, foo_ctx);
	memcpy(&vma->vm_userfaultfd_ctx, &foo_vma->vm_userfaultfd_ctx, sizeof(foo_vma->vm_userfaultfd_ctx));
	return 0;
}
