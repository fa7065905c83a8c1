import Testing

/// One after the other: several count this process's descriptors.
@Suite(.serialized, .timeLimit(.minutes(30))) struct AllTests {}
