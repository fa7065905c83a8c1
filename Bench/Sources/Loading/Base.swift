/// The first thousand studies of every catalogue, large or small: fifty families of twenty, whose names, dates and numbers
/// no other study bears. So a query for one of them has the same matches at every size.
public enum Base {
    /// That all studies are from.
    public static let institution = "HUIZHEN"

    public static func identifier(_ index: Int) -> String { "B\(10 + index / familySize)-\(1000 + index)" }

    public static func accession(_ index: Int) -> String { "BASE\(100_000 + index)" }

    public static let familyCount = 50
    public static let familySize = 20
    public static var studyCount: Int { familyCount * familySize }

    /// What every second family is called, and its own part of all given names; the last part is each member's.
    public static let surnames = Array("逄郦亓眭佴厍禚郏訾阚缑钭晁逯璩乜隗呙甯昝蒯竺卞仉芈")
    public static let generation = Array("龢瀛曦珩翀骞璟煦湜琬骅彧懿筠霁旻樾晞翊峥祎鋆晗悰澍")
    public static let givens = Array("明华伟强丽敏静磊军洋勇艳杰娟涛超霞平刚辉")
    public static let latin = """
        Quisenberry Vandermolen Featherston Zwingmann Oxborough Jaworsky Kruczynski Dzhugash Ypsilanti Wolstenholm \
        Xanthopoul Hjelmslev Cholmondel Uitenbogaard Mwangangi Ngozikwe Ekwueme Thorvaldsen Szymborska Ljungqvist \
        Bhattachar Venkataram Kjaergaard Ouedraogo Tchaikov
        """.split(separator: " ").map(String.init)

    /// As a value of VR PN.
    public static func name(_ index: Int) -> String {
        let (family, member) = (index / familySize, index % familySize)
        guard family.isMultiple(of: 2) else {
            return "\(latin[family / 2])^\(givenLetters[member])"
        }
        return "\(surnames[family / 2])^\(generation[family / 2])\(givens[member])"
    }

    public static let givenLetters = """
        Abel Bruno Clara Doris Emil Frida Greta Hugo Irma Jonas Klara Leo Mona Nils Otto Petra Quirin Rosa Selma Theo
        """.split(separator: " ").map(String.init)

    /// One month for each family, before any other study.
    public static func date(_ index: Int) -> String {
        let (family, member) = (index / familySize, index % familySize)
        return "\(1930 + family)01" + (member < 9 ? "0\(member + 1)" : "\(member + 1)")
    }
}
