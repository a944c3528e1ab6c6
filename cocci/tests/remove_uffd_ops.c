/* What is left of the table in mm before its last patch */
#include <linux/fs.h>

struct vm_uffd_ops;

/* VMA userfaultfd operations */
struct vm_uffd_ops {
	/* Called during resolution of UFFDIO_COPY request. */
	struct folio *(*alloc_folio)(struct vm_area_struct *vma,
				     unsigned long addr);
};

struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
#ifdef CONFIG_USERFAULTFD
	const struct vm_uffd_ops *uffd_ops;
#endif
};

static const struct vm_uffd_ops foo_uffd_ops = {
	.alloc_folio = foo_alloc,
};

static const struct vm_operations_struct foo_vm_ops = {
	.open		= foo_open,
#ifdef CONFIG_USERFAULTFD
	.uffd_ops	= &foo_uffd_ops,
#endif
};

/* Nothing of this may change */
struct foo_device {
	const struct foo_uffd_ops *uffd_ops;
	const struct vm_operations_struct *vm_ops;
};

static struct foo_device foo_device = {
	.uffd_ops = &foo_device_ops,
	.vm_ops = &foo_vm_ops,
};
