/* Must not match: nothing in this file becomes a vm_ops */
static bool foo_same(struct vm_area_struct *vma)
{
	struct vm_operations_struct ops = *vma->vm_ops;
	struct vm_operations_struct seen;

	memcpy(&seen, vma->vm_ops, sizeof(seen));
	seen = ops;
	if (vma->vm_ops == &foo_vm_ops)
		vma->vm_ops = NULL;
	return ops.fault == foo_fault;
}
