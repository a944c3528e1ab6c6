/* The copy becomes a vm_ops by an initialiser: all mappings of foo get the hook */
static struct vm_operations_struct foo_vm_ops;

static const struct drm_gem_object_funcs foo_funcs = {
	.mmap	= foo_mmap,
	.vm_ops	= &foo_vm_ops,
};

static int foo_init(struct vm_area_struct *vma)
{
	foo_vm_ops = *vma->vm_ops;
	foo_vm_ops.open = foo_open;
	return 0;
}
