extension Dataset {
    /// The same dataset, read from one without VRs, with those of "US or SS" that Pixel Representation (0028,0103)
    /// makes SS. PS3.5 §A.1, PS3.6 §6.
    public func withResolvedVRs() -> Dataset { resolved(VRContext(header: self)) ?? self }

    /// Nil where nothing changes.
    private func resolved(_ context: VRContext) -> Dataset? {
        var result: Dataset?
        for element in elements {
            var changed = element
            switch element.value {
            case .items(let items):
                guard let items = Self.resolved(items, context) else { continue }
                changed.value = .items(items)
            case .bytes where element.vr == .US:
                changed.vr = context.vr(of: element.tag, .US)
                guard changed.vr != .US else { continue }
            default: continue
            }
            if result == nil { result = self }
            result?.set(changed)
        }
        return result
    }

    private static func resolved(_ items: [Dataset], _ context: VRContext) -> [Dataset]? {
        var result: [Dataset]?
        for (index, item) in items.enumerated() {
            let own = item.contains(.pixelRepresentation) ? VRContext(header: item) : context.inner
            guard let changed = item.resolved(own) else { continue }
            if result == nil { result = items }
            result?[index] = changed
        }
        return result
    }
}
