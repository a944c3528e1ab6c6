/* A hook set by assignment, in all its spellings */
typedef struct vm_operations_struct *foo_ops_ptr;

struct foo_mapping {
	struct vm_operations_struct vm_ops;
	struct vm_operations_struct *ops;
};

static struct vm_operations_struct foo_vm_ops;

static void foo_assign(struct vm_area_struct *vma, struct vm_operations_struct *ops,
		       foo_ops_ptr alias, struct foo_mapping *map)
{
	struct vm_operations_struct *local = ops;

	foo_vm_ops.uffd_ops = &foo_uffd_ops;
	ops->uffd_ops = &foo_uffd_ops;
	(*ops).uffd_ops = &foo_uffd_ops;
	local->uffd_ops = &foo_uffd_ops;
	alias->uffd_ops = &foo_uffd_ops;
	map->vm_ops.uffd_ops = &foo_uffd_ops;
	map->ops->uffd_ops = &foo_uffd_ops;
	((struct vm_operations_struct *)vma->vm_ops)->uffd_ops = &foo_uffd_ops;
	vma->vm_ops->uffd_ops = &foo_uffd_ops;
	WRITE_ONCE(ops->uffd_ops, &foo_uffd_ops);
	if (alias)
		ops->uffd_ops = alias->uffd_ops;
}

/* Must not match */
static const struct vm_uffd_ops *foo_read(struct vm_area_struct *vma,
					  struct vm_operations_struct *ops,
					  struct foo_device *dev)
{
	const struct vm_uffd_ops *uffd_ops = vma->vm_ops->uffd_ops;

	dev->uffd_ops = &foo_uffd_ops;
	ops->uffd_ops = NULL;
	ops->fault = foo_fault;
	if (ops->uffd_ops == uffd_ops)
		return NULL;
	return ops->uffd_ops;
}
