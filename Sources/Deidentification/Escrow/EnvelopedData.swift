import COpenSSL

/// Bytes sealed for key holders: Cryptographic Message Syntax, RFC 5652.
///
/// RSA keys are transported to with OAEP and SHA-256 (RFC 8017 §7.1), EC keys agreed with (RFC 5753).
enum EnvelopedData {
    /// Key holders of one envelope.
    static let recipientLimit = 64
    /// Bytes that are sealed at once.
    static let byteCountLimit = 32 << 20

    enum Cipher {
        /// AES-256-CBC, as PS3.15 §E.1.1 and its readers know.
        case standard
        /// AES-256-GCM, which shows what was altered. RFC 5083.
        case authenticated
    }

    /// - Returns: the envelope in DER.
    static func sealed(_ bytes: [UInt8], for holders: [KeyHolder], cipher: Cipher) throws(EscrowError) -> [UInt8] {
        guard (1...recipientLimit).contains(holders.count) else { throw .recipients(limit: recipientLimit) }
        guard bytes.count <= byteCountLimit else { throw .tooLong(byteCountLimit: byteCountLimit) }
        defer { ERR_clear_error() }
        let flags = UInt32(CMS_BINARY | CMS_PARTIAL)
        guard
            let message = CMS_encrypt(nil, nil, cipher == .standard ? EVP_aes_256_cbc() : EVP_aes_256_gcm(), flags)
        else { throw .cryptography(operation: "envelope") }
        defer { CMS_ContentInfo_free(message) }
        for holder in holders {
            guard let recipient = CMS_add1_recipient_cert(message, holder.certificate, UInt32(CMS_KEY_PARAM)) else {
                throw .certificate
            }
            guard holder.isRSA else { continue }
            guard let context = CMS_RecipientInfo_get0_pkey_ctx(recipient),
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1,
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1
            else { throw .cryptography(operation: "OAEP") }
        }
        let isMade = bytes.withUnsafeBytes { buffer -> Bool in
            guard
                let input = BIO_new_mem_buf(buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1), Int32(buffer.count))
            else {
                return false
            }
            defer { BIO_free(input) }
            return CMS_final(message, input, nil, UInt32(CMS_BINARY)) == 1
        }
        guard isMade, let output = BIO_new(BIO_s_mem()) else { throw .cryptography(operation: "encryption") }
        defer { BIO_free(output) }
        guard i2d_CMS_bio(output, message) == 1, let result = contents(output) else {
            throw .cryptography(operation: "encoding")
        }
        return result
    }

    /// What was sealed.
    ///
    /// - Throws: `.malformed` for what is no envelope, `.refused` for one that the key does not open.
    static func opened(_ bytes: [UInt8], with key: HolderKey, cipher: Cipher) throws(EscrowError) -> [UInt8] {
        guard bytes.count <= byteCountLimit + (1 << 20) else { throw .tooLong(byteCountLimit: byteCountLimit) }
        defer { ERR_clear_error() }
        let message = bytes.withUnsafeBytes { buffer -> OpaquePointer? in
            // DER says its own length: a byte that makes the value even is not read.
            var start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return d2i_CMS_ContentInfo(nil, &start, buffer.count)
        }
        guard let message else { throw .malformed }
        defer { CMS_ContentInfo_free(message) }
        let kind = OBJ_obj2nid(CMS_get0_type(message))
        guard kind == (cipher == .standard ? NID_pkcs7_enveloped : NID_id_smime_ct_authEnvelopedData) else {
            throw .malformed
        }
        guard let output = BIO_new(BIO_s_mem()) else { throw .cryptography(operation: "memory") }
        defer { BIO_free(output) }
        guard CMS_decrypt(message, key.key, key.holder.certificate, nil, output, UInt32(CMS_BINARY)) == 1,
            let result = contents(output)
        else { throw .refused }
        return result
    }

    /// What was written to memory.
    private static func contents(_ stream: OpaquePointer) -> [UInt8]? {
        let count = Int(BIO_ctrl_pending(stream))
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let read = BIO_read(stream, &bytes, Int32(count))
        return read == Int32(count) ? bytes : nil
    }
}
