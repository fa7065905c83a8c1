#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "CDCMTK.h"

namespace huizhen {

template <auto Free>
struct Freeing {
    template <typename T>
    void operator()(T *item) const { Free(item); }
};

template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freeing<Free>>;

/// Writes a certificate's SHA-256 fingerprint; false for want of memory.
bool writeFingerprint(const X509 *certificate, uint8_t *fingerprint);

/// The names of a certificate's SubjectAltName: DNS in lower case, addresses, URIs; bounded.
std::vector<std::string> subjectNames(const X509 *certificate);

}  // namespace huizhen

/// An `SSL_CTX` for either side; never changed once it is made.
struct HZTLSContext {
    huizhen::Owned<SSL_CTX, SSL_CTX_free> context;
};
