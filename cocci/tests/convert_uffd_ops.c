/* An out-of-tree file system and driver that brought their own memory types */
#include <linux/mm.h>
#include <linux/userfaultfd_k.h>

extern const struct vm_uffd_ops foo_uffd_ops;
typedef struct vm_operations_struct *foo_ops_t;

static struct folio *foo_get(struct inode *inode, pgoff_t pgoff)
{
	return filemap_lock_folio(inode->i_mapping, pgoff);
}

static bool foo_can(struct vm_area_struct *vma, vm_flags_t vm_flags)
{
	return true;
}

const struct vm_uffd_ops foo_uffd_ops = {
	.can_userfault		= foo_can,
	.get_folio_noalloc	= foo_get,
};
EXPORT_SYMBOL_GPL(foo_uffd_ops);

static struct vm_uffd_ops bar_uffd_ops = { .can_userfault = foo_can };

static const struct vm_operations_struct foo_vm_ops = {
	.fault		= foo_fault,
#ifdef CONFIG_USERFAULTFD
	.uffd_ops	= &foo_uffd_ops,
#endif
};

struct vm_operations_struct bar_vm_ops = {
	.uffd_ops	= &bar_uffd_ops,
	.fault		= foo_fault,
	.open		= foo_open,
};

static void foo_init(struct vm_operations_struct *ops, foo_ops_t alias)
{
	ops->fault = foo_fault;
	ops->uffd_ops = &foo_uffd_ops;
	alias->uffd_ops = &bar_uffd_ops;
	bar_vm_ops.uffd_ops = NULL;
	foo_done(ops);
}

static void foo_last(struct vm_operations_struct *ops, bool uffd)
{
	if (uffd)
		ops->uffd_ops = &foo_uffd_ops;
}

/* Not a vm_operations_struct, not a vm_uffd_ops: nothing of this may change */
struct foo_ops {
	const struct foo_uffd *uffd_ops;
};

static const struct foo_uffd other_uffd_ops = { .can_userfault = foo_can };

static struct foo_ops other = {
	.uffd_ops = &other_uffd_ops,
};

static void other_init(struct foo_ops *ops)
{
	ops->uffd_ops = &other_uffd_ops;
}

static const struct vm_operations_struct plain_vm_ops = {
	.fault		= foo_fault,
};
