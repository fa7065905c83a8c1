#include "setup.h"

#include <mutex>

#include "CDCMTK.h"
#include "associate.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "dcmtk/dcmnet/assoc.h"
#include "dcmtk/dcmnet/dcmtrans.h"
#include "dcmtk/dcmnet/dul.h"
#include "dcmtk/oflog/oflog.h"

namespace huizhen {

void initialize() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Log lines of DCMTK carry AE titles, UIDs and dumps.
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        dcmDisableGethostbyaddr.set(OFTrue);
        // The channel waits with deadlines of its own; socket options would only add system calls.
        dcmSocketSendTimeout.set(-1);
        dcmSocketReceiveTimeout.set(-1);
        // Only ever used to reach a listener of our own on the loopback address.
        dcmConnectionTimeout.set(5);
        dcmAssociatePDUSizeLimit.set(associatePDUByteCountLimit);
        // Builds the state table, which DCMTK does without a lock the first time.
        T_ASC_Network *network = nullptr;
        if (ASC_initializeNetwork(NET_REQUESTOR, 0, 30, &network).good()) { ASC_dropNetwork(&network); }
    });
}

}  // namespace huizhen

void hz_initialize(void) {
    try {
        huizhen::initialize();
    } catch (...) {
        return;
    }
}

bool hz_dictionary_is_loaded(void) {
    try {
        huizhen::initialize();
        return dcmDataDict.isDictionaryLoaded();
    } catch (...) {
        return false;
    }
}
