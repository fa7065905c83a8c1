import Foundation

extension HuizhenProcess {
    /// A token of the web door for somebody of an institution.
    func clientToken(of institution: String) throws -> String {
        struct Client: Decodable {
            var id: String
            var secret: String
        }
        struct Answer: Decodable { var access_token: String }
        let made = try tool([
            "token", "client", "add", "viewer", "--institution", institution, "--days", "5", "--json",
        ]).checked()
        let client = try JSONDecoder().decode(Client.self, from: Data(made.utf8))
        let asked = try Tool.run(
            "/usr/bin/curl",
            [
                "-s", "-u", "\(client.id):\(client.secret)", "-d", "grant_type=client_credentials",
                "http://127.0.0.1:\(webPort)/oauth2/token",
            ]
        ).checked()
        return try JSONDecoder().decode(Answer.self, from: Data(asked.utf8)).access_token
    }
}
