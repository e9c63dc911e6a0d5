/* Samara: a plugin for QEMU's user mode that counts executed guest instructions, in all and by function.
 *
 *      cc -O2 -shared -fPIC qemu_count.c -o qemu_count.so
 *      qemu-aarch64 -plugin qemu_count.so,out=counts ./program      counts: lines of "<instructions> <function>"
 *
 * QEMU translates code in blocks without branches. Each block gets a counter that its translation increments in line by
 * the block's length; at exit the counters of a function are added up. Functions of static programs have their names,
 * what was loaded by the dynamic linker is "?".
 *
 * The seven functions of QEMU's plugin interface (version 1) that this needs are declared here, so that no header of
 * QEMU's is wanted. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*call)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter, uint64_t add);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*call)(plugin_id, void *), void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *insn);
void qemu_plugin_outs(const char *text);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

/* Functions by name, chained by hash. */
typedef struct function {
  struct function *next;
  uint64_t count;
  char name[];
} function;
static function *functions[4096];
static const char *out;

static function *find(const char *name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
  function **slot = &functions[hash % (sizeof functions / sizeof *functions)];
  for (function *f = *slot; f; f = f->next)
    if (strcmp(f->name, name) == 0) return f;
  function *f = calloc(1, sizeof *f + strlen(name) + 1);
  if (!f) abort();
  strcpy(f->name, name);
  f->next = *slot;
  return *slot = f;
}

/* A block may reach from one function into the next only by falling through: it counts for where it begins. */
static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
  (void)id;
  const char *symbol = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(tb, 0));
  function *f = find(symbol && *symbol ? symbol : "?");
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &f->count, qemu_plugin_tb_n_insns(tb));
}

static void report(plugin_id id, void *user) {
  (void)id;
  (void)user;
  FILE *file = out ? fopen(out, "w") : stderr;
  if (!file) {
    qemu_plugin_outs("qemu_count: the file for the counts cannot be written\n");
    return;
  }
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    for (const function *f = functions[i]; f; f = f->next)
      if (f->count) fprintf(file, "%" PRIu64 " %s\n", f->count, f->name);
  if (out) fclose(file);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++)
    if (strncmp(argv[i], "out=", 4) == 0) out = strdup(argv[i] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, report, NULL);
  return 0;
}
