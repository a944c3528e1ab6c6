/* The hook's declaration: the pointer of 7.1, and a function as first proposed */
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	const struct vm_uffd_ops *uffd_ops;
	bool (*can_userfault)(struct vm_area_struct *vma, vm_flags_t vm_flags);
	int (*may_split)(struct vm_area_struct *vma, unsigned long addr);
};

/* Must not match: another structure may call a member so */
struct foo_device {
	const struct vm_uffd_ops *uffd_ops;
};
