/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/kvm.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_US (2 * G_USEC_PER_SEC)
/* So often it is waited again for a thread that got no processor. */
#define LIMITS_MAX 10
#define SLOW_NS (50 * 1000 * 1000)

static gint64
cpu_time (clockid_t clock)
{
  struct timespec now = { 0, 0 };
  clock_gettime (clock, &now);
  return (gint64) now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

#ifdef __x86_64__

#define MEMORY 0x8000
#define TABLES 0x1000 /* of three levels; each is a page */
#define CODE 0x4000
#define PORT 0x10
#define TSS 0xfffbd000 /* KVM on Intel requires a place for three pages that the guest does not use */
/* 200,000 instructions take a processor less than a tenth of a millisecond; software that
 * executes one at a time does about a million in a second. The CPU time counts, so that a
 * busy host makes no difference. */
#define ROUNDS 100000

/* In 64-bit mode with paging, as a kernel: there, all processors with KVM execute
 * guests themselves. Counts ecx down from ROUNDS, writes to a port, halts. */
static const guint8 code[] = {
  0xb9, ROUNDS & 0xff, ROUNDS >> 8 & 0xff, ROUNDS >> 16, 0, /* mov $ROUNDS, %ecx */
  0xff, 0xc9,                                               /* dec %ecx */
  0x75, 0xfc,                                               /* jnz to dec */
  0xe6, PORT,                                               /* out %al, $PORT */
  0xf4,                                                     /* hlt */
};

/* A guest that is being run. */
typedef struct
{
  int kvm, vm, vcpu;
  guint8 *memory;
  struct kvm_run *run;
  gsize run_size;
} Guest;

static void
guest_clear (Guest *guest)
{
  if (guest->run != NULL)
    munmap (guest->run, guest->run_size);
  lm_fd_clear (&guest->vcpu);
  lm_fd_clear (&guest->vm);
  if (guest->memory != NULL)
    munmap (guest->memory, MEMORY);
  lm_fd_clear (&guest->kvm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Guest, guest_clear)

static void *
map_or_null (gsize size, int flags, int fd)
{
  void *address = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
  return address != MAP_FAILED ? address : NULL;
}

/* Maps the first 2 MiB to themselves. */
static void
fill_memory (guint8 *memory)
{
  const guint64 entries[] = { (TABLES + 0x1000) | 0x3, (TABLES + 0x2000) | 0x3, 0x83 /* large page, writable, present */ };
  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    memcpy (memory + TABLES + 0x1000 * i, &entries[i], sizeof entries[i]);
  memcpy (memory + CODE, code, sizeof code);
}

static gboolean
set_registers (int vcpu)
{
  struct kvm_sregs special;
  if (ioctl (vcpu, KVM_GET_SREGS, &special) < 0)
    return FALSE;
  const struct kvm_segment data = { .limit = 0xffffffff, .selector = 16, .present = 1, .type = 3, .db = 1, .s = 1, .g = 1 };
  struct kvm_segment text = data;
  text.selector = 8;
  text.type = 11;
  text.db = 0;
  text.l = 1;
  special.cs = text;
  special.ds = special.es = special.fs = special.gs = special.ss = data;
  special.cr3 = TABLES;
  special.cr4 = 1 << 5;      /* PAE */
  special.cr0 = 0x80050033;  /* PG, AM, WP, NE, ET, MP, PE */
  special.efer = 0x500;      /* LMA, LME */
  const struct kvm_regs registers = { .rip = CODE, .rflags = 2, .rsp = MEMORY };
  return ioctl (vcpu, KVM_SET_SREGS, &special) == 0 && ioctl (vcpu, KVM_SET_REGS, &registers) == 0;
}

/* Without these the mode is refused. */
static gboolean
set_features (int kvm, int vcpu)
{
  const guint max = 256;
  g_autofree struct kvm_cpuid2 *list = g_malloc0 (sizeof *list + max * sizeof list->entries[0]);
  list->nent = max;
  return ioctl (kvm, KVM_GET_SUPPORTED_CPUID, list) == 0 && ioctl (vcpu, KVM_SET_CPUID2, list) == 0;
}

static gboolean
make_guest (Guest *guest)
{
  guest->vm = ioctl (guest->kvm, KVM_CREATE_VM, 0);
  guest->memory = map_or_null (MEMORY, MAP_ANONYMOUS, -1);
  if (guest->vm < 0 || guest->memory == NULL)
    return FALSE;
  fill_memory (guest->memory);
  const struct kvm_userspace_memory_region region = { .memory_size = MEMORY, .userspace_addr = (guint64) (gsize) guest->memory };
  int size = ioctl (guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < (int) sizeof (struct kvm_run) || ioctl (guest->vm, KVM_SET_TSS_ADDR, TSS) < 0
      || ioctl (guest->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
    return FALSE;
  guest->vcpu = ioctl (guest->vm, KVM_CREATE_VCPU, 0);
  if (guest->vcpu < 0)
    return FALSE;
  guest->run_size = (gsize) size;
  guest->run = map_or_null (guest->run_size, 0, guest->vcpu);
  return guest->run != NULL && set_features (guest->kvm, guest->vcpu) && set_registers (guest->vcpu);
}

static gboolean
run_until (Guest *guest, guint32 reason)
{
  while (ioctl (guest->vcpu, KVM_RUN, 0) < 0)
    if (errno != EINTR && errno != EAGAIN)
      return FALSE;
  return guest->run->exit_reason == reason;
}

/* Takes ownership of @kvm. */
static LmKvmState
run_guest (int kvm)
{
  g_auto (Guest) guest = { kvm, -1, -1, NULL, NULL, 0 };
  if (!make_guest (&guest))
    return LM_KVM_BROKEN;
  const gint64 begin = cpu_time (CLOCK_THREAD_CPUTIME_ID);
  if (!run_until (&guest, KVM_EXIT_IO) || guest.run->io.port != PORT)
    return LM_KVM_BROKEN;
  gboolean slow = cpu_time (CLOCK_THREAD_CPUTIME_ID) - begin > SLOW_NS;
  if (!run_until (&guest, KVM_EXIT_HLT))
    return LM_KVM_BROKEN;
  return slow ? LM_KVM_EMULATED : LM_KVM_GOOD;
}

#else /* Other architectures have no such guest yet. */

static LmKvmState
run_guest (int kvm)
{
  lm_autofd int vm = ioctl (kvm, KVM_CREATE_VM, 0);
  lm_fd_close (kvm);
  return vm < 0 ? LM_KVM_BROKEN : LM_KVM_GOOD;
}

#endif

typedef struct
{
  gatomicrefcount references; /* of the caller and the thread */
  GMutex lock;
  GCond done_changed;
  gboolean done;
  clockid_t clock; /* the CPU time of the thread */
  gboolean has_clock;
  pid_t thread;
  int kvm;
  LmKvmState state;
} Probe;

static void
probe_unref (Probe *probe)
{
  if (!g_atomic_ref_count_dec (&probe->references))
    return;
  g_cond_clear (&probe->done_changed);
  g_mutex_clear (&probe->lock);
  g_free (probe);
}

static gpointer
probe_thread (gpointer data)
{
  Probe *probe = data;
  g_mutex_lock (&probe->lock);
  probe->thread = gettid ();
  probe->has_clock = pthread_getcpuclockid (pthread_self (), &probe->clock) == 0;
  g_mutex_unlock (&probe->lock);
  LmKvmState state = run_guest (probe->kvm);
  g_mutex_lock (&probe->lock);
  probe->state = state;
  probe->done = TRUE;
  g_cond_signal (&probe->done_changed);
  g_mutex_unlock (&probe->lock);
  probe_unref (probe);
  return NULL;
}

/* Whether the thread runs, or would if there was a processor for it, instead of waiting for something. */
static gboolean
is_runnable (pid_t thread)
{
  char text[256] = "";
  gsize size = 0;
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/stat", (int) thread);
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || !lm_fd_read_full (fd, text, sizeof text - 1, &size, NULL))
    return FALSE;
  const char *name_end = strrchr (text, ')');
  return name_end != NULL && g_str_has_prefix (name_end, ") R");
}

/* Waits, with the lock held, until the thread is done, or its CPU time tells enough. */
static void
wait_for_result (Probe *probe)
{
  for (guint i = 0; !probe->done && i < LIMITS_MAX && (i == 0 || is_runnable (probe->thread)); i++)
    {
      const gint64 end = g_get_monotonic_time () + LIMIT_US;
      while (!probe->done && g_cond_wait_until (&probe->done_changed, &probe->lock, end))
        continue;
      if (!probe->done && probe->has_clock && cpu_time (probe->clock) > SLOW_NS)
        {
          probe->state = LM_KVM_EMULATED;
          return;
        }
    }
}

LmKvmState
lm_kvm_probe (const char *path)
{
  lm_autofd int kvm = open (path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (kvm < 0)
    return errno == EACCES || errno == EPERM ? LM_KVM_DENIED : LM_KVM_ABSENT;
  if (ioctl (kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
    return LM_KVM_ABSENT;
  Probe *probe = g_new0 (Probe, 1);
  g_atomic_ref_count_init (&probe->references);
  g_atomic_ref_count_inc (&probe->references);
  g_mutex_init (&probe->lock);
  g_cond_init (&probe->done_changed);
  probe->kvm = lm_fd_steal (&kvm);
  probe->state = LM_KVM_BROKEN;
  g_thread_unref (g_thread_new ("kvm", probe_thread, probe));
  g_mutex_lock (&probe->lock);
  wait_for_result (probe);
  LmKvmState state = probe->state;
  g_mutex_unlock (&probe->lock);
  probe_unref (probe);
  return state;
}
