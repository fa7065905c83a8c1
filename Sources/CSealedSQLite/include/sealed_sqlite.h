// A layer below SQLite that seals the files of a database page by page, and what SQLite puts aside of them.
//
// Every page is sealed with XAES-256-GCM (C2SP: AES-256-GCM under a key of its own for each 96-bit prefix of a random
// 192-bit nonce), bound to the kind of the file and to where it lies in it; nonce and tag stand in bytes that SQLite leaves free at
// a page's end. Plain stay: frame and journal headers (page numbers, checksums) and the index of the write-ahead log (page numbers).
// Files without a name, which go when they are closed, are enciphered with a random key of their own (AES-256-CTR).
//
// Thread-safe. Paths are copied, keys are copied and wiped when they are forgotten.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Bytes at the end of each page for nonce and tag.
#define HUIZHEN_SEALED_RESERVE 40
// Bytes of a page; a file with others is refused.
#define HUIZHEN_SEALED_PAGE 4096

// Makes the layer SQLite's default; files without a key pass through it as they are. Once is enough; further calls do nothing.
// Returns an SQLite result code.
int huizhen_sealed_install(void);

// From now on the database at `path`, its log and its journal are sealed with these 32 bytes. May be called again for
// the same path with the same key; each call wants its `forget`. Returns an SQLite result code, SQLITE_MISUSE for another key.
int huizhen_sealed_remember(const char *path, const uint8_t key[32]);
void huizhen_sealed_forget(const char *path);

// Whether the file begins as an SQLite database that is not sealed.
int huizhen_sealed_is_plain(const char *path);

// Copies a plain database, with what stands in its log, into a new sealed one, for whose path a key is remembered. Returns an
// SQLite result code.
int huizhen_sealed_copy(const char *plain, const char *sealed);
