#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CDCMTK.h"
#include "channel.h"
#include "transport.h"

#include "dcmtk/dcmnet/assoc.h"
#include "dcmtk/dcmnet/dul.h"

namespace huizhen {

HZFailure failure(HZStatus status, int systemError = 0);
T_ASC_SC_ROLE toolkitRole(HZRole role);

}  // namespace huizhen

/// One association: DCMTK's objects, the channel below them, and what was negotiated.
struct HZAssociation {
    struct Context {
        uint8_t contextID = 0;
        uint8_t result = unanswered;
        HZRole proposedRole = HZRoleDefault;
        HZRole acceptedRole = HZRoleDefault;
        std::string abstractSyntax;
        std::vector<std::string> transferSyntaxes;
        std::string acceptedTransferSyntax;
        std::string serviceClass;
        std::optional<std::vector<uint8_t>> proposedExtension;
        std::optional<std::vector<uint8_t>> acceptedExtension;
    };

    static constexpr uint8_t unanswered = 255;

    explicit HZAssociation(const HZOptions &options);
    ~HZAssociation();
    HZAssociation(const HZAssociation &) = delete;
    HZAssociation &operator=(const HZAssociation &) = delete;

    HZFailure receive();
    /// Comes first: starts the ARTIM time and agrees on TLS, if that is wanted.
    HZFailure open(const HZSecurity *security, huizhen::TLSWire::Side side);
    HZFailure request(const HZRequest &request);
    HZFailure accept(const HZAcceptance &acceptance);
    HZFailure reject(uint8_t result, uint8_t source, uint8_t reason);
    HZFailure read(int64_t idle, HZPDV &pdv);
    bool hasIncoming();
    HZFailure write(const HZPDV &pdv);
    HZFailure flush();
    HZFailure release();
    HZFailure answerRelease();
    void abort();

    std::string callingAETitle;
    std::string calledAETitle;
    std::string peerImplementationClass;
    std::string peerImplementationVersion;
    std::string peerAddress;
    std::vector<Context> contexts;
    size_t maximumPDV = 0;
    std::string tlsVersion;
    huizhen::PeerCertificate certificate;
    huizhen::Identity identity;
    bool isIdentityAnswered = false;
    HZWindow window{};

private:
    HZFailure outcome(const OFCondition &condition);
    HZFailure establish();
    HZFailure readData(int64_t idle);
    HZFailure nextPDV(HZPDV &pdv);
    HZFailure openRequest(const HZRequest &request);
    HZFailure connectRequest(T_ASC_Parameters *parameters);
    void describe(T_ASC_Parameters *parameters) const;
    void keepProposals(const HZProposal *proposals, size_t count);
    bool takeAnswers();
    bool answer(Context &context, const HZAnswer *answer);
    bool addUserInformation(const HZAcceptance &acceptance);
    bool addUserInformation(const HZRequest &request);
    bool isFirstOfItsClass(const Context &context) const;
    const Context *accepted(uint8_t contextID) const;

    std::string implementationClassUID;
    std::string implementationVersionName;
    uint32_t maximumPDU;
    huizhen::Channel channel;
    std::unique_ptr<huizhen::ChannelLayer> layer;
    T_ASC_Network *network = nullptr;
    T_ASC_Association *association = nullptr;
    /// The PDVs of the PDU read last that have not been asked for yet, in DCMTK's buffer.
    const uint8_t *data = nullptr;
    size_t dataLeft = 0;
    /// The peer has asked for release.
    bool isReleasing = false;
};
