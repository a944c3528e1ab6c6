
static int planted_mmap(struct file *file, struct vm_area_struct *vma)
{
	static struct vm_operations_struct planted_vm_ops;

	planted_vm_ops = *vma->vm_ops; /* DEFECT */
	vma->vm_ops = &planted_vm_ops;
	return 0;
}
