/// The first thousand studies of every catalogue, large or small: fifty families of twenty, whose names, dates and numbers
/// no other study bears. So a query for one of them has the same matches at every size.
///
/// `Benchmarking.ScaleQueries` asks for them and has the same lists.
enum Base {
    static let familyCount = 50
    static let familySize = 20
    static var studyCount: Int { familyCount * familySize }

    static let surnames = Array("逄郦亓眭佴厍禚郏訾阚缑钭晁逯璩乜隗呙甯昝蒯竺卞仉芈")
    static let generation = Array("龢瀛曦珩翀骞璟煦湜琬骅彧懿筠霁旻樾晞翊峥祎鋆晗悰澍")
    static let givens = Array("明华伟强丽敏静磊军洋勇艳杰娟涛超霞平刚辉")
    static let latin = """
        Quisenberry Vandermolen Featherston Zwingmann Oxborough Jaworsky Kruczynski Dzhugash Ypsilanti Wolstenholm \
        Xanthopoul Hjelmslev Cholmondel Uitenbogaard Mwangangi Ngozikwe Ekwueme Thorvaldsen Szymborska Ljungqvist \
        Bhattachar Venkataram Kjaergaard Ouedraogo Tchaikov
        """.split(separator: " ").map(String.init)

    static func name(_ index: Int) -> String {
        let (family, member) = (index / familySize, index % familySize)
        guard family.isMultiple(of: 2) else {
            return "\(latin[family / 2])^\(givenLetters[member])"
        }
        return "\(surnames[family / 2])^\(generation[family / 2])\(givens[member])"
    }

    static let givenLetters = """
        Abel Bruno Clara Doris Emil Frida Greta Hugo Irma Jonas Klara Leo Mona Nils Otto Petra Quirin Rosa Selma Theo
        """.split(separator: " ").map(String.init)

    /// One month for each family, before any other study.
    static func date(_ index: Int) -> String {
        let (family, member) = (index / familySize, index % familySize)
        return "\(1930 + family)01" + (member < 9 ? "0\(member + 1)" : "\(member + 1)")
    }
}
