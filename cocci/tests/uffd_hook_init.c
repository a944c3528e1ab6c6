/* A hook set by an initialiser, in all its spellings */
static const struct vm_operations_struct foo_vm_ops = {
	.fault		= foo_fault,
#ifdef CONFIG_USERFAULTFD
	.uffd_ops	= &foo_uffd_ops,
#endif
};

struct vm_operations_struct first_vm_ops = { .uffd_ops = &foo_uffd_ops, .fault = foo_fault };

const struct vm_operations_struct many_vm_ops[] = {
	{ .fault = foo_fault },
	{ .uffd_ops = &foo_uffd_ops },
	[FOO_HUGE] = { .fault = foo_fault, .uffd_ops = &foo_uffd_ops },
};

typedef const struct vm_operations_struct foo_ops_t;
typedef struct vm_operations_struct foo_rw_ops_t;

static foo_rw_ops_t alias_vm_ops = { .uffd_ops = &foo_uffd_ops };

struct foo_mapping {
	int users;
	struct vm_operations_struct vm_ops;
};

static struct foo_mapping foo_mapping = {
	.users = 1,
	.vm_ops = {
		.fault = foo_fault,
		.uffd_ops = &foo_uffd_ops,
	},
};

static void foo_local(struct foo_mapping *map, struct vm_operations_struct *ops)
{
	static const struct vm_operations_struct local_vm_ops = {
		.uffd_ops = &foo_uffd_ops,
	};

	map->vm_ops = (struct vm_operations_struct){ .uffd_ops = &foo_uffd_ops };
	*ops = (struct vm_operations_struct){
		.fault = foo_fault,
		.uffd_ops = &foo_uffd_ops,
	};
}

/* Must not match */
static const struct vm_operations_struct plain_vm_ops = { .fault = foo_fault };
static const struct vm_operations_struct null_vm_ops = { .uffd_ops = NULL };
static struct foo_device foo_device = { .uffd_ops = &foo_uffd_ops };
static const struct vm_uffd_ops foo_uffd_ops = { .can_userfault = foo_can };

static struct foo_mapping designated = { .users = 1, .vm_ops.fault = foo_fault, .vm_ops.uffd_ops = &foo_uffd_ops };
static const struct vm_operations_struct old_style = { fault: foo_fault, uffd_ops: &foo_uffd_ops };
static const struct vm_operations_struct second = { .fault = foo_fault, .uffd_v2_ops = &foo_uffd_ops };
static const struct vm_operations_struct *const pointed = &(const struct vm_operations_struct){
	.uffd_ops = &foo_uffd_ops,
};

static int foo_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &(const struct vm_operations_struct){ .fault = foo_fault, .uffd_ops = &foo_uffd_ops };
	vma->vm_ops = &(const struct vm_operations_struct){ .fault = foo_fault };
	foo_register((struct vm_operations_struct){ .uffd_ops = &foo_uffd_ops });
	return 0;
}

/* Must not match */
static struct foo_device designated_device = { .dev.uffd_ops = &foo_uffd_ops };
static struct foo_mapping designated_null = { .vm_ops.uffd_ops = NULL };
static const struct vm_uffd_ops old_uffd_ops = { can_userfault: foo_can };
