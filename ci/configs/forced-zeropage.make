CFLAGS_userfaultfd.o=-D'mm_forbids_zeropage(X)=(1)'
