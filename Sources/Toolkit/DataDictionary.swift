import CDCMTK

/// DCMTK's data dictionary, which it loads from a file at run time.
public enum DataDictionary {
    /// Whether it was found: without it DCMTK reads elements without knowing their value representation.
    public static var isLoaded: Bool { hz_dictionary_is_loaded() }
}
