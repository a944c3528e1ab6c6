/* A hook that comes along when a table is copied and then used as vm_ops */
struct foo_mapping {
	const struct vm_operations_struct *host_vm_ops;
	struct vm_operations_struct vm_ops;
};

static struct vm_operations_struct foo_vm_ops;

/* As fs/coda/file.c does */
static int foo_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct foo_mapping *map = kmalloc(sizeof(*map), GFP_KERNEL);

	map->host_vm_ops = vma->vm_ops;
	if (vma->vm_ops)
		map->vm_ops = *vma->vm_ops;
	map->vm_ops.open = foo_open;
	vma->vm_ops = &map->vm_ops;
	return 0;
}

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vm_operations_struct *new;
	struct vm_operations_struct init = *vma->vm_ops;

	foo_vm_ops = *vma->vm_ops;
	foo_vm_ops = init;
	memcpy(&foo_vm_ops, vma->vm_ops, sizeof(foo_vm_ops));
	memmove(&foo_vm_ops, &init, sizeof(init));
	new = kmemdup(vma->vm_ops, sizeof(*vma->vm_ops), GFP_KERNEL);
	new = devm_kmemdup(foo_dev, vma->vm_ops, sizeof(*new), GFP_KERNEL);
	new = kmalloc(sizeof(*new), GFP_KERNEL);
	*new = *vma->vm_ops;
	new->open = foo_open;
	vma->vm_ops = new;
	return 0;
}

/* Must not match: the hook is taken out before anybody sees the copy */
static int cleared_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vm_operations_struct *new = kmalloc(sizeof(*new), GFP_KERNEL);

	*new = *vma->vm_ops;
	new->open = foo_open;
	new->uffd_ops = NULL;
	vma->vm_ops = new;
	return 0;
}

static int cleared_later(struct file *file, struct vm_area_struct *vma)
{
	struct vm_operations_struct local = *vma->vm_ops;
	struct vm_operations_struct *new;

	local.uffd_ops = NULL;
	new = kmemdup(vma->vm_ops, sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->open = foo_open;
	new->uffd_ops = NULL;
	memcpy(&foo_vm_ops, vma->vm_ops, sizeof(foo_vm_ops));
	foo_vm_ops.uffd_ops = NULL;
	vma->vm_ops = new;
	return 0;
}

/* Must not match: pointers, other structures, a part of the table */
static int plain_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops;
	struct foo_part part = *foo_parts;

	foo_vm_ops.fault = vma->vm_ops->fault;
	memcpy(&part, foo_parts, sizeof(part));
	memcpy(&ops, &vma->vm_ops, sizeof(ops));
	foo_vm_ops = (struct vm_operations_struct){ .fault = foo_fault };
	vma->vm_ops = ops;
	vma->vm_ops = &foo_vm_ops;
	return 0;
}

/* Another copy is cleared, and one on one of two paths only */
static int half_cleared(struct file *file, struct vm_area_struct *vma,
			struct vm_operations_struct *new, struct vm_operations_struct *other)
{
	*new = *vma->vm_ops;
	other->uffd_ops = NULL;
	*other = *vma->vm_ops;
	if (file)
		other->uffd_ops = NULL;
	vma->vm_ops = new;
	return 0;
}
