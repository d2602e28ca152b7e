/* Loaded before a process's own libraries (LD_PRELOAD): its time of day is off by what a shared file says.
 *
 * libfaketime 0.9.10 cannot do this: with the monotonic clock left alone it makes clock_nanosleep fail, and with it every
 * time.sleep() of Python 3.11. Here the monotonic clock and all waits that are measured by it stay untouched. Waits
 * until a time of day are moved back to the real one, as no kernel knows of the jump.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t none = 0;
static const volatile int64_t *offset_s = &none;
static const time_t of_day = 1000000000; /* no monotonic clock has come that far: what is above is a time of day */

__attribute__((constructor)) static void open_file(void) {
  const char *path = getenv("WRONGLUNG_CLOCK_FILE");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) offset_s = shared;
  close(file);
}

static struct timespec real(const struct timespec *until) {
  struct timespec moved = *until;
  if (moved.tv_sec > of_day) moved.tv_sec -= *offset_s;
  return moved;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  long failed = syscall(SYS_clock_gettime, clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset_s;
  return (int)failed;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec precise;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *copy) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (copy) *copy = precise.tv_sec;
  return precise.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  struct timespec moved = real(until);
  if (!next) *(void **)&next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  return next(condition, mutex, &moved);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
  static int (*next)(sem_t *, const struct timespec *);
  struct timespec moved = real(until);
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "sem_timedwait");
  return next(semaphore, &moved);
}

long syscall(long number, ...) { /* gRPC's mutexes wait by themselves */
  static long (*next)(long, ...);
  long a[6];
  struct timespec moved;
  va_list rest;
  va_start(rest, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "syscall");
  if (number == SYS_futex && (a[1] & FUTEX_CLOCK_REALTIME) && a[3]) {
    moved = real((const struct timespec *)a[3]);
    a[3] = (long)&moved;
  }
  return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
