// Certificates, keys, authorities and revocation lists: read within bounds, checked, made an SSL_CTX.
#include "tls_context.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

using huizhen::Owned;

namespace {

/// BCP 195 (RFC 9325 §4.2): forward secrecy and authenticated encryption only. AES-128 first: nothing is gained by
/// the longer key here, and it costs a third more.
constexpr char ciphers12[]
    = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
      "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char ciphers13[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr char groups[] = "X25519:P-256:P-384:P-521";
/// At least 112 bits of security everywhere.
constexpr int securityLevel = 2;
/// Largest chain of certificates a peer may send, in bytes.
constexpr long peerChainByteCountLimit = 64 * 1024;
/// Records that are read with one system call.
constexpr size_t readAheadByteCount = 64 * 1024;
constexpr size_t nameCountLimit = 64;
constexpr int nameByteCountLimit = 255;

struct File {
    HZTLSFile kind;
    std::vector<uint8_t> bytes;

    explicit File(HZTLSFile kind) : kind(kind) {}
    ~File() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    HZTLSFault fault(HZTLSProblem problem, int systemError = 0) const { return HZTLSFault{problem, kind, systemError}; }
    HZTLSFault read(const char *path);
    Owned<BIO, BIO_free_all> stream() const {
        const void *start = bytes.empty() ? "" : static_cast<const void *>(bytes.data());
        return Owned<BIO, BIO_free_all>(BIO_new_mem_buf(start, static_cast<int>(bytes.size())));
    }
};

constexpr HZTLSFault noFault{HZTLSProblemNone, HZTLSFileNone, 0};

HZTLSFault File::read(const char *path) {
    struct Descriptor {
        int number;
        ~Descriptor() {
            if (number >= 0) { (void)::close(number); }
        }
    };
    const Descriptor file{open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat about {};
    if (file.number < 0 || fstat(file.number, &about) != 0) { return fault(HZTLSProblemUnreadable, errno); }
    if (!S_ISREG(about.st_mode)) { return fault(HZTLSProblemMalformed); }
    if (kind == HZTLSFileKey) {
        const bool isOurs = about.st_uid == geteuid() || about.st_uid == 0;
        if (!isOurs || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) { return fault(HZTLSProblemExposed); }
    }
    if (about.st_size > HZ_TLS_FILE_BYTE_COUNT) { return fault(HZTLSProblemTooLarge); }
    bytes.resize(static_cast<size_t>(about.st_size));
    size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t part = ::read(file.number, bytes.data() + filled, bytes.size() - filled);
        if (part < 0 && errno == EINTR) { continue; }
        if (part < 0) { return fault(HZTLSProblemUnreadable, errno); }
        if (part == 0) { break; }
        filled += static_cast<size_t>(part);
    }
    bytes.resize(filled);
    return noFault;
}

/// There is nobody to ask for a pass phrase.
int noPassPhrase(char *, int, int, void *) { return -1; }

/// Reads every PEM entry of a file with `next` and gives each to `take`.
template <typename Next, typename Take>
HZTLSFault readEntries(const File &file, Next next, Take take) {
    const auto stream = file.stream();
    if (!stream) { return file.fault(HZTLSProblemOutOfMemory); }
    ERR_clear_error();
    size_t count = 0;
    while (true) {
        auto entry = next(stream.get());
        if (!entry) { break; }
        if (count == HZ_TLS_ENTRY_COUNT) { return file.fault(HZTLSProblemTooLarge); }
        const HZTLSFault taken = take(entry, count);
        if (taken.problem != HZTLSProblemNone) { return taken; }
        ++count;
    }
    const unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    const bool isAtEnd = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    return count > 0 && isAtEnd ? noFault : file.fault(HZTLSProblemMalformed);
}

using Certificate = Owned<X509, X509_free>;
using RevocationList = Owned<X509_CRL, X509_CRL_free>;

Certificate nextCertificate(BIO *stream) {
    return Certificate(PEM_read_bio_X509(stream, nullptr, noPassPhrase, nullptr));
}

HZTLSFault weakOrMalformed(const File &file) {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    ERR_clear_error();
    const bool isWeak = reason == SSL_R_EE_KEY_TOO_SMALL || reason == SSL_R_CA_KEY_TOO_SMALL
        || reason == SSL_R_CA_MD_TOO_WEAK;
    return file.fault(isWeak ? HZTLSProblemWeak : HZTLSProblemMalformed);
}

HZTLSFault takeCertificate(SSL_CTX *context, const char *path) {
    File file(HZTLSFileCertificate);
    const HZTLSFault read = file.read(path);
    if (read.problem != HZTLSProblemNone) { return read; }
    return readEntries(file, nextCertificate, [&](Certificate &certificate, size_t index) {
        const long done = index == 0 ? SSL_CTX_use_certificate(context, certificate.get())
                                     : SSL_CTX_add1_chain_cert(context, certificate.get());
        return done == 1 ? noFault : weakOrMalformed(file);
    });
}

HZTLSFault takeKey(SSL_CTX *context, const char *path) {
    File file(HZTLSFileKey);
    const HZTLSFault read = file.read(path);
    if (read.problem != HZTLSProblemNone) { return read; }
    const auto stream = file.stream();
    if (!stream) { return file.fault(HZTLSProblemOutOfMemory); }
    const Owned<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PrivateKey(stream.get(), nullptr, noPassPhrase, nullptr));
    ERR_clear_error();
    if (!key) { return file.fault(HZTLSProblemMalformed); }
    const bool fits = SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
    ERR_clear_error();
    return fits ? noFault : file.fault(HZTLSProblemMismatch);
}

HZTLSFault takeAuthorities(X509_STORE *store, const char *path) {
    File file(HZTLSFileAuthorities);
    const HZTLSFault read = file.read(path);
    if (read.problem != HZTLSProblemNone) { return read; }
    return readEntries(file, nextCertificate, [&](Certificate &certificate, size_t) {
        return X509_STORE_add_cert(store, certificate.get()) == 1 ? noFault : file.fault(HZTLSProblemMalformed);
    });
}

HZTLSFault takeRevocationLists(X509_STORE *store, const char *path) {
    File file(HZTLSFileRevocationLists);
    const HZTLSFault read = file.read(path);
    if (read.problem != HZTLSProblemNone) { return read; }
    const auto next = [](BIO *stream) {
        return RevocationList(PEM_read_bio_X509_CRL(stream, nullptr, noPassPhrase, nullptr));
    };
    const HZTLSFault taken = readEntries(file, next, [&](RevocationList &list, size_t) {
        return X509_STORE_add_crl(store, list.get()) == 1 ? noFault : file.fault(HZTLSProblemMalformed);
    });
    if (taken.problem == HZTLSProblemNone) {
        (void)X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
    return taken;
}

bool setUp(SSL_CTX *context, bool only13) {
    SSL_CTX_set_security_level(context, securityLevel);
    // A session that is taken up again would come past the check of the certificate; an association is long anyway.
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(
        context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_max_cert_list(context, peerChainByteCountLimit);
    (void)SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, readAheadByteCount);
    auto *parameters = SSL_CTX_get0_param(context);
    // A configured authority ends a chain, whether or not it signed itself.
    return X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST) == 1
        && SSL_CTX_set_num_tickets(context, 0) == 1
        && SSL_CTX_set_min_proto_version(context, only13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1
        && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set_cipher_list(context, ciphers12) == 1 && SSL_CTX_set_ciphersuites(context, ciphers13) == 1
        && SSL_CTX_set1_groups_list(context, groups) == 1;
}

/// Runs `step` on a file that is named, if nothing was wrong before.
template <typename Step>
void then(HZTLSFault &fault, const char *path, Step step) {
    if (fault.problem == HZTLSProblemNone && path != nullptr) { fault = step(path); }
}

HZTLSFault create(const HZTLSFiles &files, HZTLSContext **result) {
    auto made = std::make_unique<HZTLSContext>();
    made->context.reset(SSL_CTX_new(TLS_method()));
    SSL_CTX *context = made->context.get();
    HZTLSFault fault{HZTLSProblemOutOfMemory, HZTLSFileNone, 0};
    if (context == nullptr || !setUp(context, files.only13)) { return fault; }
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    fault = noFault;
    then(fault, files.certificate, [&](const char *path) { return takeCertificate(context, path); });
    then(fault, files.key, [&](const char *path) { return takeKey(context, path); });
    then(fault, files.authorities, [&](const char *path) { return takeAuthorities(store, path); });
    then(fault, files.revocationLists, [&](const char *path) { return takeRevocationLists(store, path); });
    if (fault.problem == HZTLSProblemNone) { *result = made.release(); }
    return fault;
}

std::string textName(const ASN1_STRING *string) {
    const int count = ASN1_STRING_length(string);
    if (count <= 0 || count > nameByteCountLimit) { return ""; }
    std::string text(reinterpret_cast<const char *>(ASN1_STRING_get0_data(string)), static_cast<size_t>(count));
    // A NUL inside would make one name look like another; anything but visible ASCII is no name.
    const bool isVisible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
    return isVisible ? text : "";
}

std::string nameText(const GENERAL_NAME &name) {
    if (name.type == GEN_URI) { return textName(name.d.uniformResourceIdentifier); }
    if (name.type == GEN_DNS) {
        std::string text = textName(name.d.dNSName);
        std::transform(text.begin(), text.end(), text.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        return text;
    }
    if (name.type != GEN_IPADD) { return ""; }
    const int count = ASN1_STRING_length(name.d.iPAddress);
    const int family = count == 4 ? AF_INET : AF_INET6;
    char text[INET6_ADDRSTRLEN] = "";
    if (count != 4 && count != 16) { return ""; }
    return inet_ntop(family, ASN1_STRING_get0_data(name.d.iPAddress), text, sizeof text) == nullptr ? "" : text;
}

}  // namespace

namespace huizhen {

bool writeFingerprint(const X509 *certificate, uint8_t *fingerprint) {
    unsigned count = 0;
    return X509_digest(certificate, EVP_sha256(), fingerprint, &count) == 1 && count == HZ_TLS_FINGERPRINT_BYTE_COUNT;
}

std::vector<std::string> subjectNames(const X509 *certificate) {
    const Owned<GENERAL_NAMES, GENERAL_NAMES_free> list(static_cast<GENERAL_NAMES *>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> names;
    const int count = list ? sk_GENERAL_NAME_num(list.get()) : 0;
    for (int index = 0; index < count && names.size() < nameCountLimit; ++index) {
        std::string text = nameText(*sk_GENERAL_NAME_value(list.get(), index));
        if (!text.empty()) { names.push_back(std::move(text)); }
    }
    return names;
}

}  // namespace huizhen

HZTLSFault hz_tls_context_create(const HZTLSFiles *files, HZTLSContext **context) {
    try {
        return create(*files, context);
    } catch (...) {
        return HZTLSFault{HZTLSProblemOutOfMemory, HZTLSFileNone, 0};
    }
}

void hz_tls_context_destroy(HZTLSContext *context) { delete context; }

HZTLSFault hz_tls_fingerprint(const char *path, uint8_t fingerprint[HZ_TLS_FINGERPRINT_BYTE_COUNT]) {
    try {
        File file(HZTLSFileCertificate);
        const HZTLSFault read = file.read(path);
        if (read.problem != HZTLSProblemNone) { return read; }
        const auto stream = file.stream();
        const Certificate certificate = stream ? nextCertificate(stream.get()) : nullptr;
        ERR_clear_error();
        const bool isWritten = certificate && huizhen::writeFingerprint(certificate.get(), fingerprint);
        return isWritten ? noFault : file.fault(HZTLSProblemMalformed);
    } catch (...) {
        return HZTLSFault{HZTLSProblemOutOfMemory, HZTLSFileNone, 0};
    }
}
