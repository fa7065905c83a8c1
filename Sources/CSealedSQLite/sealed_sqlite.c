#include "sealed_sqlite.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = HUIZHEN_SEALED_PAGE, RESERVE = HUIZHEN_SEALED_RESERVE, CONTENT = PAGE - RESERVE };
enum { NONCE = 24, TAG = 16 };
// Bytes at the beginning of the first page: SQLite file format §1.3.
enum { HEAD = 100 };
// Write-ahead log: SQLite file format §4.1. Header, then frames of a header and a page.
enum { WAL_HEADER = 32, FRAME_HEADER = 24, FRAME = FRAME_HEADER + PAGE };
// Asks a file whether it is sealed; private file controls are above 100 (sqlite3.h).
enum { CONTROL_IS_SEALED = 0x485A01 };

// --- Keys by path ---

typedef struct Entry {
    struct Entry *next;
    int uses;
    uint8_t key[32];
    char path[];
} Entry;

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static Entry *table;
static sqlite3_vfs *base;

static char *full_path(const char *path) {
    char *full = malloc((size_t)base->mxPathname + 1);
    if (full && base->xFullPathname(base, path, base->mxPathname, full) & 0xff) {
        // SQLITE_OK_SYMLINK is a success too, and its low byte is zero.
        free(full);
        return NULL;
    }
    return full;
}

static Entry *find(const char *path, size_t length) {
    for (Entry *entry = table; entry; entry = entry->next)
        if (strlen(entry->path) == length && memcmp(entry->path, path, length) == 0) return entry;
    return NULL;
}

int huizhen_sealed_remember(const char *path, const uint8_t key[32]) {
    int code = huizhen_sealed_install();
    if (code != SQLITE_OK) return code;
    char *full = full_path(path);
    if (!full) return SQLITE_CANTOPEN;
    pthread_mutex_lock(&table_lock);
    Entry *entry = find(full, strlen(full));
    if (entry) {
        if (CRYPTO_memcmp(entry->key, key, 32) == 0) entry->uses++; else code = SQLITE_MISUSE;
    } else if ((entry = malloc(sizeof(Entry) + strlen(full) + 1))) {
        entry->uses = 1;
        memcpy(entry->key, key, 32);
        strcpy(entry->path, full);
        entry->next = table;
        table = entry;
    } else {
        code = SQLITE_NOMEM;
    }
    pthread_mutex_unlock(&table_lock);
    free(full);
    return code;
}

void huizhen_sealed_forget(const char *path) {
    char *full = base ? full_path(path) : NULL;
    if (!full) return;
    pthread_mutex_lock(&table_lock);
    for (Entry **link = &table; *link; link = &(*link)->next) {
        Entry *entry = *link;
        if (strcmp(entry->path, full) != 0) continue;
        if (--entry->uses == 0) {
            *link = entry->next;
            OPENSSL_cleanse(entry->key, 32);
            free(entry);
        }
        break;
    }
    pthread_mutex_unlock(&table_lock);
    free(full);
}

// --- Sealing ---

typedef enum { KIND_PLAIN, KIND_DATABASE, KIND_LOG, KIND_JOURNAL, KIND_UNNAMED } Kind;

typedef struct {
    sqlite3_file file;
    Kind kind;
    // AES-256 under the file's key, for deriving; AES-256-GCM; AES-256-CTR for files without a name.
    EVP_CIPHER_CTX *block, *gcm, *stream;
    uint8_t subkey[16];  // K1 of the specification
    uint8_t key[32];     // of files without a name only
    uint8_t page[PAGE];
    // The base layer's file lies behind.
} File;

static sqlite3_file *under(File *file) { return (sqlite3_file *)(file + 1); }

static void scrap(File *file) {
    EVP_CIPHER_CTX_free(file->block);
    EVP_CIPHER_CTX_free(file->gcm);
    EVP_CIPHER_CTX_free(file->stream);
    OPENSSL_cleanse(file->subkey, sizeof file->subkey);
    OPENSSL_cleanse(file->key, sizeof file->key);
    OPENSSL_cleanse(file->page, sizeof file->page);
    file->block = file->gcm = file->stream = NULL;
}

static int prepare(File *file, const uint8_t key[32]) {
    int done = 0;
    file->block = EVP_CIPHER_CTX_new();
    file->gcm = EVP_CIPHER_CTX_new();
    if (!file->block || !file->gcm) return 0;
    uint8_t zero[16] = {0}, first[16];
    if (EVP_EncryptInit_ex(file->block, EVP_aes_256_ecb(), NULL, key, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(file->block, 0) != 1 || EVP_EncryptUpdate(file->block, first, &done, zero, 16) != 1 ||
        EVP_CipherInit_ex(file->gcm, EVP_aes_256_gcm(), NULL, NULL, NULL, 1) != 1)
        return 0;
    // Doubling in GF(2^128), as CMAC has it.
    for (int index = 0; index < 16; index++)
        file->subkey[index] = (uint8_t)(first[index] << 1 | (index < 15 ? first[index + 1] >> 7 : 0));
    if (first[0] & 0x80) file->subkey[15] ^= 0x87;
    OPENSSL_cleanse(first, sizeof first);
    return 1;
}

// The key for a nonce: XAES-256-GCM, C2SP.
static int derive(File *file, const uint8_t nonce[NONCE], uint8_t key[32]) {
    uint8_t blocks[32] = {0};
    int done = 0;
    blocks[1] = 1;
    blocks[17] = 2;
    blocks[2] = blocks[18] = 'X';
    memcpy(blocks + 4, nonce, 12);
    memcpy(blocks + 20, nonce, 12);
    for (int index = 0; index < 32; index++) blocks[index] ^= file->subkey[index & 15];
    return EVP_EncryptUpdate(file->block, key, &done, blocks, 32) == 1 && done == 32;
}

static int start(File *file, const uint8_t nonce[NONCE], sqlite3_int64 offset, int seals) {
    uint8_t key[32], place[9];
    int done = 0;
    place[0] = (uint8_t)file->kind;
    for (int index = 0; index < 8; index++) place[1 + index] = (uint8_t)((uint64_t)offset >> (8 * index));
    int good = derive(file, nonce, key) && EVP_CipherInit_ex(file->gcm, NULL, NULL, key, nonce + 12, seals) == 1 &&
               EVP_CipherUpdate(file->gcm, NULL, &done, place, sizeof place) == 1;
    OPENSSL_cleanse(key, sizeof key);
    return good;
}

// Seals a page that SQLite wrote into the file's buffer.
static int seal(File *file, const uint8_t *page, sqlite3_int64 offset) {
    uint8_t *nonce = file->page + CONTENT, *tag = nonce + NONCE;
    int done = 0;
    return RAND_bytes(nonce, NONCE) == 1 && start(file, nonce, offset, 1) &&
           EVP_CipherUpdate(file->gcm, file->page, &done, page, CONTENT) == 1 && done == CONTENT &&
           EVP_CipherFinal_ex(file->gcm, file->page + CONTENT, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(file->gcm, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;
}

// Opens a page in place; what cannot be opened becomes zeros.
static int unseal(File *file, uint8_t *page, sqlite3_int64 offset) {
    uint8_t *nonce = page + CONTENT, *tag = nonce + NONCE, rest[16];
    int done = 0;
    int good = start(file, nonce, offset, 0) && EVP_CipherUpdate(file->gcm, page, &done, page, CONTENT) == 1 &&
               EVP_CIPHER_CTX_ctrl(file->gcm, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
               EVP_CipherFinal_ex(file->gcm, rest, &done) == 1;
    if (!good) OPENSSL_cleanse(page, CONTENT);
    // As SQLite leaves them.
    memset(page + CONTENT, 0, RESERVE);
    return good;
}

// A page SQLite never wrote, such as one of the free list, reads as a hole.
static int is_hole(const uint8_t *page) {
    for (int index = 0; index < PAGE; index++)
        if (page[index]) return 0;
    return 1;
}

// Reads a whole page at `offset` into `page`; `isShort` says that the file ends before its end.
static int read_page(File *file, uint8_t *page, sqlite3_int64 offset, int *isShort) {
    *isShort = 0;
    int code = under(file)->pMethods->xRead(under(file), page, PAGE, offset);
    if (code == SQLITE_IOERR_SHORT_READ) {
        *isShort = 1;
        // Nothing but zeros is what a file gives behind its end; a part of a page is none.
        memset(page, 0, PAGE);
        return SQLITE_OK;
    }
    if (code != SQLITE_OK) return code;
    if (file->kind == KIND_DATABASE && offset > 0 && is_hole(page)) return SQLITE_OK;
    return unseal(file, page, offset) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

// Enciphers what lies at `offset` of a file without a name.
static int stream(File *file, const uint8_t *from, uint8_t *to, int amount, sqlite3_int64 offset) {
    uint8_t counter[16] = {0}, skipped[16] = {0};
    int done = 0, lead = (int)(offset & 15);
    uint64_t block = (uint64_t)offset >> 4;
    for (int index = 0; index < 8; index++) counter[15 - index] = (uint8_t)(block >> (8 * index));
    return EVP_EncryptInit_ex(file->stream, EVP_aes_256_ctr(), NULL, file->key, counter) == 1 &&
           (lead == 0 || EVP_EncryptUpdate(file->stream, skipped, &done, skipped, lead) == 1) &&
           EVP_EncryptUpdate(file->stream, to, &done, from, amount) == 1 && done == amount;
}

// --- File methods ---

static int x_close(sqlite3_file *opened) {
    File *file = (File *)opened;
    int code = under(file)->pMethods->xClose(under(file));
    scrap(file);
    return code;
}

// The place of the page that a byte of a log lies in, or -1 for a byte of a header.
static sqlite3_int64 page_in_log(sqlite3_int64 offset) {
    if (offset < WAL_HEADER) return -1;
    sqlite3_int64 in = (offset - WAL_HEADER) % FRAME;
    return in < FRAME_HEADER ? -1 : offset - in + FRAME_HEADER;
}

static int read_log(File *file, uint8_t *to, int amount, sqlite3_int64 offset) {
    // A frame at once is how SQLite looks for the log's end. A page that cannot be opened ends it: its frame gets a head that
    // belongs to no log, for the checksum alone would take a page of zeros that was never written for one that was.
    uint8_t *frame = amount == FRAME ? to : NULL;
    while (amount > 0) {
        sqlite3_int64 place = page_in_log(offset);
        int part, code = SQLITE_OK, isShort = 0;
        if (place < 0) {
            sqlite3_int64 next = offset < WAL_HEADER
                                     ? WAL_HEADER + FRAME_HEADER
                                     : offset - (offset - WAL_HEADER) % FRAME + FRAME_HEADER;
            part = next - offset < amount ? (int)(next - offset) : amount;
            code = under(file)->pMethods->xRead(under(file), to, part, offset);
            if (code == SQLITE_IOERR_SHORT_READ) {
                memset(to + part, 0, (size_t)(amount - part));
                return code;
            }
        } else {
            sqlite3_int64 left = place + PAGE - offset;
            part = left < amount ? (int)left : amount;
            if (part == PAGE) {
                code = read_page(file, to, place, &isShort);
            } else {
                code = read_page(file, file->page, place, &isShort);
                memcpy(to, file->page + (offset - place), (size_t)part);
            }
            if (isShort) {
                memset(to + part, 0, (size_t)(amount - part));
                return SQLITE_IOERR_SHORT_READ;
            }
            if (code == SQLITE_IOERR_DATA && frame) {
                memset(frame, 0, FRAME_HEADER);
                code = SQLITE_OK;
            }
        }
        if (code != SQLITE_OK) return code;
        to += part;
        amount -= part;
        offset += part;
    }
    return SQLITE_OK;
}

static int x_read(sqlite3_file *opened, void *buffer, int amount, sqlite3_int64 offset) {
    File *file = (File *)opened;
    uint8_t *to = buffer;
    int code, isShort = 0;
    switch (file->kind) {
    case KIND_LOG: return read_log(file, to, amount, offset);
    case KIND_DATABASE: {
        // SQLite reads pages, and of the first one its head alone before it knows their size.
        sqlite3_int64 place = offset - offset % PAGE;
        if (offset + amount > place + PAGE) return SQLITE_IOERR_READ;
        uint8_t *page = amount == PAGE ? to : file->page;
        code = read_page(file, page, place, &isShort);
        // Before it has looked for a log or a journal that mends the first page, SQLite reads its head for the page size: a power cut
        // may have torn it, and zeros say that nothing is known yet.
        if (code == SQLITE_IOERR_DATA && offset == 0 && amount == HEAD) code = SQLITE_OK;
        if (code != SQLITE_OK) return code;
        if (page != to) memcpy(to, page + (offset - place), (size_t)amount);
        return isShort ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
    }
    case KIND_JOURNAL:
        if (amount == PAGE) {
            code = read_page(file, to, offset, &isShort);
            return code == SQLITE_OK && isShort ? SQLITE_IOERR_SHORT_READ : code;
        }
        break;
    case KIND_UNNAMED:
        code = under(file)->pMethods->xRead(under(file), to, amount, offset);
        if (code == SQLITE_OK) return stream(file, to, to, amount, offset) ? SQLITE_OK : SQLITE_IOERR_READ;
        return code;
    case KIND_PLAIN: break;
    }
    return under(file)->pMethods->xRead(under(file), to, amount, offset);
}

static int write_page(File *file, const uint8_t *page, sqlite3_int64 offset) {
    if (!seal(file, page, offset)) return SQLITE_IOERR_WRITE;
    return under(file)->pMethods->xWrite(under(file), file->page, PAGE, offset);
}

static int x_write(sqlite3_file *opened, const void *buffer, int amount, sqlite3_int64 offset) {
    File *file = (File *)opened;
    switch (file->kind) {
    case KIND_DATABASE:
        return amount == PAGE && offset % PAGE == 0 ? write_page(file, buffer, offset) : SQLITE_IOERR_WRITE;
    case KIND_LOG:
        if (page_in_log(offset) == offset)
            return amount == PAGE ? write_page(file, buffer, offset) : SQLITE_IOERR_WRITE;
        // A header, and nothing of a page behind it.
        if (page_in_log(offset) >= 0 || amount > WAL_HEADER) return SQLITE_IOERR_WRITE;
        break;
    case KIND_JOURNAL:
        if (amount == PAGE) return write_page(file, buffer, offset);
        if (amount > 512) return SQLITE_IOERR_WRITE;
        break;
    case KIND_UNNAMED:
        for (const uint8_t *from = buffer; amount > 0;) {
            int part = amount < PAGE ? amount : PAGE;
            if (!stream(file, from, file->page, part, offset)) return SQLITE_IOERR_WRITE;
            int code = under(file)->pMethods->xWrite(under(file), file->page, part, offset);
            if (code != SQLITE_OK) return code;
            from += part;
            amount -= part;
            offset += part;
        }
        return SQLITE_OK;
    case KIND_PLAIN: break;
    }
    return under(file)->pMethods->xWrite(under(file), buffer, amount, offset);
}

#define PASS(name, parameters, arguments)                                         \
    static int name parameters {                                                  \
        sqlite3_file *file = under((File *)opened);                               \
        return file->pMethods->arguments;                                         \
    }
PASS(x_truncate, (sqlite3_file * opened, sqlite3_int64 size), xTruncate(file, size))
PASS(x_sync, (sqlite3_file * opened, int flags), xSync(file, flags))
PASS(x_file_size, (sqlite3_file * opened, sqlite3_int64 *size), xFileSize(file, size))
PASS(x_lock, (sqlite3_file * opened, int level), xLock(file, level))
PASS(x_unlock, (sqlite3_file * opened, int level), xUnlock(file, level))
PASS(x_check_reserved_lock, (sqlite3_file * opened, int *result), xCheckReservedLock(file, result))
PASS(x_sector_size, (sqlite3_file * opened), xSectorSize(file))
PASS(x_shm_map, (sqlite3_file * opened, int region, int size, int extend, void volatile **at),
     xShmMap(file, region, size, extend, at))
PASS(x_shm_lock, (sqlite3_file * opened, int offset, int count, int flags), xShmLock(file, offset, count, flags))
PASS(x_shm_unmap, (sqlite3_file * opened, int deletes), xShmUnmap(file, deletes))

static void x_shm_barrier(sqlite3_file *opened) {
    sqlite3_file *file = under((File *)opened);
    file->pMethods->xShmBarrier(file);
}

static int x_file_control(sqlite3_file *opened, int operation, void *argument) {
    File *file = (File *)opened;
    if (operation == CONTROL_IS_SEALED) {
        *(int *)argument = file->kind == KIND_DATABASE;
        return SQLITE_OK;
    }
    return under(file)->pMethods->xFileControl(under(file), operation, argument);
}

static int x_device_characteristics(sqlite3_file *opened) {
    File *file = (File *)opened;
    int found = under(file)->pMethods->xDeviceCharacteristics(under(file));
    if (file->kind == KIND_PLAIN) return found;
    // Pages are written whole, and the log's without a break at a sector.
    return (found & ~(SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_ATOMIC512 | SQLITE_IOCAP_ATOMIC1K | SQLITE_IOCAP_ATOMIC2K |
                      SQLITE_IOCAP_ATOMIC4K | SQLITE_IOCAP_ATOMIC8K | SQLITE_IOCAP_ATOMIC16K |
                      SQLITE_IOCAP_ATOMIC32K | SQLITE_IOCAP_ATOMIC64K | SQLITE_IOCAP_BATCH_ATOMIC)) |
           SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// Version 2: without xFetch, so that no page is looked at through a mapping.
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_file_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_reserved_lock,
    .xFileControl = x_file_control,
    .xSectorSize = x_sector_size,
    .xDeviceCharacteristics = x_device_characteristics,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

// --- The layer ---

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *opened, int flags, int *outFlags) {
    (void)vfs;
    File *file = (File *)opened;
    memset(file, 0, sizeof(File) + (size_t)base->szOsFile);
    uint8_t key[32];
    Kind kind = KIND_PLAIN;
    if (!name) {
        kind = KIND_UNNAMED;
        if (RAND_bytes(key, 32) != 1) return SQLITE_CANTOPEN;
    } else {
        size_t length = strlen(name);
        Kind named = KIND_DATABASE;
        if (flags & SQLITE_OPEN_WAL) {
            named = KIND_LOG;
            length = length > 4 ? length - 4 : 0;  // -wal
        } else if (flags & SQLITE_OPEN_MAIN_JOURNAL) {
            named = KIND_JOURNAL;
            length = length > 8 ? length - 8 : 0;  // -journal
        }
        pthread_mutex_lock(&table_lock);
        Entry *entry = find(name, length);
        if (entry) {
            memcpy(key, entry->key, 32);
            kind = named;
        }
        pthread_mutex_unlock(&table_lock);
    }
    file->kind = kind;
    int good = 1;
    if (kind == KIND_UNNAMED) {
        memcpy(file->key, key, 32);
        good = (file->stream = EVP_CIPHER_CTX_new()) != NULL;
    } else if (kind != KIND_PLAIN) {
        good = prepare(file, key);
    }
    OPENSSL_cleanse(key, sizeof key);
    int code = good ? base->xOpen(base, name, under(file), flags, outFlags) : SQLITE_NOMEM;
    if (code == SQLITE_OK && under(file)->pMethods) {
        opened->pMethods = &methods;
    } else {
        scrap(file);
    }
    return code;
}

static int x_delete(sqlite3_vfs *vfs, const char *name, int syncs) {
    (void)vfs;
    return base->xDelete(base, name, syncs);
}
static int x_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs;
    return base->xAccess(base, name, flags, result);
}
static int x_full_pathname(sqlite3_vfs *vfs, const char *name, int count, char *out) {
    (void)vfs;
    return base->xFullPathname(base, name, count, out);
}
static int x_randomness(sqlite3_vfs *vfs, int count, char *out) {
    (void)vfs;
    return base->xRandomness(base, count, out);
}
static int x_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return base->xSleep(base, microseconds);
}
static int x_current_time(sqlite3_vfs *vfs, double *now) {
    (void)vfs;
    return base->xCurrentTime(base, now);
}
static int x_current_time64(sqlite3_vfs *vfs, sqlite3_int64 *now) {
    (void)vfs;
    return base->xCurrentTimeInt64(base, now);
}
static int x_last_error(sqlite3_vfs *vfs, int count, char *out) {
    (void)vfs;
    return base->xGetLastError(base, count, out);
}

// A sealed database must leave room in its pages from its first one on.
static int reserve(sqlite3 *database, char **message, const struct sqlite3_api_routines *routines) {
    (void)message;
    (void)routines;
    int isSealed = 0, bytes = RESERVE;
    if (sqlite3_file_control(database, "main", CONTROL_IS_SEALED, &isSealed) == SQLITE_OK && isSealed)
        return sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
    return SQLITE_OK;
}

static sqlite3_vfs layer;
static int installed = SQLITE_ERROR;

static void install(void) {
    int code = sqlite3_initialize();
    if (code != SQLITE_OK || !(base = sqlite3_vfs_find(NULL))) {
        installed = code ? code : SQLITE_ERROR;
        return;
    }
    layer = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(File) + base->szOsFile,
        .mxPathname = base->mxPathname,
        .zName = "huizhen-sealed",
        .xOpen = x_open,
        .xDelete = x_delete,
        .xAccess = x_access,
        .xFullPathname = x_full_pathname,
        .xRandomness = x_randomness,
        .xSleep = x_sleep,
        .xCurrentTime = x_current_time,
        .xGetLastError = x_last_error,
        .xCurrentTimeInt64 = x_current_time64,
    };
    installed = sqlite3_vfs_register(&layer, 1);
    if (installed == SQLITE_OK) installed = sqlite3_auto_extension((void (*)(void))reserve);
}

int huizhen_sealed_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    return installed;
}

// --- From plain to sealed ---

int huizhen_sealed_is_plain(const char *path) {
    char start[16] = {0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    ssize_t count = read(descriptor, start, sizeof start);
    close(descriptor);
    return count == (ssize_t)sizeof start && memcmp(start, "SQLite format 3", 16) == 0;
}

int huizhen_sealed_copy(const char *plain, const char *sealed) {
    int code = huizhen_sealed_install();
    sqlite3 *database = NULL;
    if (code == SQLITE_OK)
        code = sqlite3_open_v2(plain, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    int bytes = RESERVE;
    // What a copy leaves free at its pages' ends is asked for at the source.
    if (code == SQLITE_OK) code = sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
    sqlite3_stmt *statement = NULL;
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(database, "VACUUM INTO ?", -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_bind_text(statement, 1, sealed, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_DONE) code = SQLITE_OK;
    sqlite3_finalize(statement);
    sqlite3_close_v2(database);
    return code;
}
