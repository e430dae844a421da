/* Put before the C library in tests: a wall clock that jumps by an hour each time it is read, and an accept that fails. */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* With FARCALL_SHIM_JUMPS, the wall clock is right, an hour ahead, right, an hour behind, and so on. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int reads;
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && getenv("FARCALL_SHIM_JUMPS")) {
        static const int hours[4] = {0, 1, 0, -1};
        int read = __atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
        time->tv_sec += 3600 * hours[read & 3];
    }
    return result;
}

/* With FARCALL_SHIM_ACCEPTS=N, the first connection is accepted, and before the second N tries fail, each of which is reported on
   standard error with its time in microseconds. */
int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
    static int accepted, failed;
    const char *failures = getenv("FARCALL_SHIM_ACCEPTS");
    if (failures && accepted == 1 && failed < atoi(failures)) {
        struct pollfd waiting = {.fd = listener, .events = POLLIN};
        if (poll(&waiting, 1, 0) == 1) {
            static const int errors[4] = {ECONNABORTED, EMFILE, ENFILE, ENOMEM};
            struct timespec now;
            syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
            dprintf(2, "accept fails at %lld\n", now.tv_sec * 1000000LL + now.tv_nsec / 1000);
            errno = errors[failed++ & 3];
            return -1;
        }
    }
    int link = (int)syscall(SYS_accept4, listener, address, length, flags);
    if (link >= 0) {
        accepted++;
    }
    return link;
}
