import Foundation

/// nginx of Debian with TLS in front of another web server, as hospitals put it there; tuned for large answers.
enum TLSProxy {
    static let program = "nginx"
    static let label = "nginx before Orthanc"
    private static let readyBound: Duration = .seconds(20)

    /// Starts it; nil where nginx is not installed.
    ///
    /// - Throws: `.system`, `.failed`, `.notReady`.
    static func start(before port: Int, in folder: String) throws(BenchError) -> (child: Child, port: Int)? {
        guard let executable = Tools.find(program) else { return nil }
        try Files.makeFolder(folder)
        let pair = try TLSPair.make(in: folder)
        let own = try Ports.free()
        let configuration = """
            daemon off;
            \(geteuid() == 0 ? "user root;" : "")
            worker_processes 2;
            pid \(folder)/nginx.pid;
            error_log \(folder)/error.log;
            events { worker_connections 1024; }
            http {
                access_log off;
                client_body_temp_path \(folder)/body;
                proxy_temp_path \(folder)/proxy;
                fastcgi_temp_path \(folder)/fastcgi;
                uwsgi_temp_path \(folder)/uwsgi;
                scgi_temp_path \(folder)/scgi;
                sendfile on;
                tcp_nodelay on;
                keepalive_requests 1000000;
                http2_chunk_size 16k;
                upstream archive { server \(Clients.loopback):\(port); keepalive 64; }
                server {
                    listen \(Clients.loopback):\(own) ssl http2;
                    ssl_certificate \(pair.certificate);
                    ssl_certificate_key \(pair.key);
                    ssl_protocols TLSv1.3;
                    ssl_buffer_size 16k;
                    location / {
                        proxy_pass http://archive;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_buffering off;
                        proxy_buffer_size 256k;
                        proxy_buffers 8 256k;
                        proxy_busy_buffers_size 512k;
                    }
                }
            }
            """
        try Files.write(Data(configuration.utf8), to: folder + "/nginx.conf")
        let command = Command(
            name: program, executable: executable, arguments: ["-p", folder, "-c", folder + "/nginx.conf"],
            workingDirectory: folder, log: folder + "/nginx.log")
        let child = try Child.start(command)
        let clock = ContinuousClock()
        let end = clock.now + readyBound
        while (try? WebConnection(port: own)) == nil {
            guard child.isRunning, clock.now < end else {
                child.stop()
                throw .notReady(server: label, lastWords: command.lastWords)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return (child, own)
    }
}
