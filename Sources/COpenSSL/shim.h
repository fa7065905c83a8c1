// OpenSSL's envelope interface, as Debian's libssl-dev installs it. The functions Keys, BlobStore, Access, HTTP, Reporting and Deidentification call are
// plain functions in OpenSSL 3; nothing is wrapped here.
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
