# The system calls' names as C designated initializers, from what
#     echo '#include <asm/unistd_64.h>' | gcc -E -dM -
# prints.  names.c includes the result as syscall_names.inc.
/^#define __NR_[a-z0-9_]+ [0-9]+$/ {
	name = $2
	sub(/^__NR_/, "", name)
	printf "[%d] = \"%s\",\n", $3, name
}
