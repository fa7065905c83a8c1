import Foundation
import HTTP

/// The door's descriptions of itself.
enum Capabilities {
    /// PS3.18 §8.9.4.
    static let wadlType = "application/vnd.sun.wadl+xml"

    // MARK: OpenAPI

    /// The routes as an OpenAPI 3.0 document, sorted, so that it only changes with them.
    static func openAPI(_ routes: [WebRoute] = WebRoute.all) -> [UInt8] {
        var paths: [String: [String: Any]] = [:]
        for route in routes {
            paths[path(route), default: [:]][route.method.lowercased()] = operation(route)
            if route.root.isEmpty { paths[path(route)]?["servers"] = [["url": "/"]] }
        }
        let document: [String: Any] = [
            "openapi": "3.0.3",
            "info": ["title": "Huizhen DICOMweb", "version": "1"],
            "servers": [["url": Door.root]],
            "security": [["token": [String]()]],
            "paths": paths,
            "components": [
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
                "parameters": Swift.Dictionary(
                    uniqueKeysWithValues: WebRoute.keys(.instance).map { ($0.name, query($0)) }),
                "schemas": schemas,
            ],
        ]
        let data = try? JSONSerialization.data(
            withJSONObject: document, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        return Array(data ?? Data())
    }

    private static var schemas: [String: Any] {
        [
            "Problem": [
                "type": "object", "required": ["type", "title", "status", "detail"],
                "properties": [
                    "type": ["type": "string"], "title": ["type": "string"],
                    "status": ["type": "integer"], "detail": ["type": "string"],
                    "available": ["type": "array", "items": ["type": "string"]],
                ],
            ],
            // PS3.18 Annex F.
            "Dataset": [
                "type": "object", "additionalProperties": ["$ref": "#/components/schemas/Attribute"],
            ],
            "Attribute": [
                "type": "object", "required": ["vr"], "additionalProperties": false,
                "properties": [
                    "vr": ["type": "string", "pattern": "^[A-Z]{2}$"],
                    "Value": ["type": "array", "items": [String: Any]()],
                    "InlineBinary": ["type": "string"], "BulkDataURI": ["type": "string"],
                ],
            ],
        ]
    }

    /// What a body of a media type is.
    private static func schema(of type: String, isList: Bool) -> [String: Any] {
        let dataset = ["$ref": "#/components/schemas/Dataset"]
        switch type {
        case "application/dicom+json": return isList ? ["type": "array", "items": dataset] : dataset
        case "application/json": return ["type": "object"]
        case "text/event-stream", wadlType, "application/dicom+xml": return ["type": "string"]
        default: return ["type": "string", "format": "binary"]
        }
    }

    private static func query(_ parameter: WebRoute.Parameter) -> [String: Any] {
        var schema: [String: Any] = ["type": parameter.kind.rawValue]
        if parameter.kind == .number {
            schema["minimum"] = 0
            schema["maximum"] = Int(Int32.max)
        }
        schema["pattern"] = parameter.pattern
        return [
            "name": parameter.name, "in": "query", "required": parameter.isRequired, "description": parameter.about,
            "schema": schema,
        ]
    }

    /// Under the server's address, which for some is another than for most; its root is a slash.
    private static func path(_ route: WebRoute) -> String { route.path.isEmpty ? "/" : route.path }

    private static func operation(_ route: WebRoute) -> [String: Any] {
        var parameters: [[String: Any]] = route.pathNames.map { name in
            ["name": name, "in": "path", "required": true, "schema": schema(ofPath: name)]
        }
        for parameter in route.parameters {
            parameters.append(
                parameter.isKey ? ["$ref": "#/components/parameters/\(parameter.name)"] : query(parameter))
        }
        var responses: [String: Any] = [:]
        for status in WebRoute.problems { responses[String(status)] = problem(status) }
        for (status, types) in route.answers {
            if types.isEmpty, status >= 400 {
                responses[String(status)] = problem(status)
                continue
            }
            // A store's answer, of any status, is one dataset, and so is a commitment's.
            let isList = route.method == "GET" && !route.path.hasPrefix("/commitment")
            var content = Swift.Dictionary(
                uniqueKeysWithValues: types.map { ($0, ["schema": schema(of: $0, isList: isList)] as [String: Any]) })
            if status >= 400 { content["application/problem+json"] = problemSchema }
            var response: [String: Any] = ["description": status < 300 ? route.about : words(status)]
            if !content.isEmpty { response["content"] = content }
            responses[String(status)] = response
        }
        var result: [String: Any] = [
            "summary": route.about, "parameters": parameters, "responses": responses,
            "operationId": identifier(route),
        ]
        if !route.takes.isEmpty {
            let binary: [String: Any] = ["schema": ["type": "string", "format": "binary"]]
            result["requestBody"] = [
                "required": true, "content": Swift.Dictionary(uniqueKeysWithValues: route.takes.map { ($0, binary) }),
            ]
        }
        return result
    }

    private static func identifier(_ route: WebRoute) -> String {
        let words = route.path.split(whereSeparator: { "/{}.-".contains($0) }).map {
            $0.prefix(1).uppercased() + $0.dropFirst()
        }
        return route.method.lowercased() + words.joined()
    }

    private static func schema(ofPath name: String) -> [String: Any] {
        switch name {
        case "frames": ["type": "string", "pattern": framePattern]
        // Its slashes as they are, or percent-encoded.
        case "path": ["type": "string", "pattern": "^[0-9A-F]{8}(/[0-9]{1,9}/[0-9A-F]{8}){0,15}$"]
        case "transfer": ["type": "string", "pattern": "^[0-9a-f]{32}$"]
        default: ["type": "string", "pattern": "^[0-9.]{1,64}$"]
        }
    }

    private static let framePattern = {
        let range = "[1-9][0-9]{0,8}(-[1-9][0-9]{0,8})?"
        return "^\(range)(,\(range))*$"
    }()

    private static let problemSchema = ["schema": ["$ref": "#/components/schemas/Problem"]]

    private static func problem(_ status: Int) -> [String: Any] {
        ["description": words(status), "content": ["application/problem+json": problemSchema]]
    }

    private static func words(_ status: Int) -> String {
        switch status {
        case 304: "It is what If-None-Match names."
        case 400: "The request is malformed."
        case 401: "A token is needed."
        case 403: "The caller may not do that."
        case 404: "There is nothing of that name."
        case 405: "The resource does not take the method."
        case 406: "It is not to be had in an accepted media type."
        case 409: "The state of what is held does not allow it."
        case 413: "The request or its answer is larger than is taken."
        case 415: "The body's media type is not taken."
        case 416: "The body is shorter than where the range begins."
        case 421: "The host is none of this service."
        case 429: "As many requests of the caller are under way as one may have."
        case 503: "The service is starting, stopping or full."
        case 507: "The disk is full."
        default: "Something went wrong."
        }
    }

    // MARK: WADL

    /// The routes as PS3.18 §8.9 wants them: resources within resources.
    static func wadl(base: String, _ routes: [WebRoute] = WebRoute.restful) -> [UInt8] {
        var text =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<application xmlns=\"http://wadl.dev.java.net/2009/02\">\n"
        text += "<resources base=\"\(Markup.escaped(base))\">\n"
        var paths: [String] = []
        for route in routes where !paths.contains(route.path) { paths.append(route.path) }
        for path in paths {
            text += "<resource path=\"\(Markup.escaped(String(path.drop { $0 == "/" })))\">\n"
            for route in routes where route.path == path { text += method(route) }
            text += "</resource>\n"
        }
        return Array((text + "</resources>\n</application>\n").utf8)
    }

    private static func method(_ route: WebRoute) -> String {
        var text = "<method name=\"\(route.method)\" id=\"\(identifier(route))\">\n<request>\n"
        for parameter in route.parameters { text += "<param name=\"\(parameter.name)\" style=\"query\"/>\n" }
        for type in route.takes { text += "<representation mediaType=\"\(Markup.escaped(type))\"/>\n" }
        text += "</request>\n"
        for (status, types) in route.answers {
            text += "<response status=\"\(status)\">\n"
            for type in types { text += "<representation mediaType=\"\(Markup.escaped(type))\"/>\n" }
            text += "</response>\n"
        }
        return text + "</method>\n"
    }
}
