using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FaceDistill.Tests.Assets;

/// <summary>A web server on loopback that sends exactly the bytes it is told to, however wrong, and then closes the line.</summary>
public sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, byte[]> _answer;

    /// <param name="answer">From the request's head (lines ended by CR LF) to the raw answer, head and body.</param>
    public LoopbackServer(Func<string, byte[]> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    /// <summary>The heads of the requests so far.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public string Url(string path = "file.bin") => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/{path}";

    /// <summary>A raw answer.</summary>
    public static byte[] Answer(string status, string headers, ReadOnlySpan<byte> body) =>
        [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers.ReplaceLineEndings("\r\n")}Connection: close\r\n\r\n"), .. body];

    /// <summary>An honest whole answer.</summary>
    public static byte[] Whole(byte[] body, string headers = "") =>
        Answer("200 OK", headers + string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\n"), body);

    /// <summary>An honest answer to a request for the rest from <paramref name="from"/> on.</summary>
    public static byte[] Rest(byte[] body, int from) => Answer(
        "206 Partial Content",
        string.Create(CultureInfo.InvariantCulture, $"Content-Range: bytes {from}-{body.Length - 1}/{body.Length}\nContent-Length: {body.Length - from}\n"),
        body.AsSpan(from));

    /// <summary>The first byte that a request asks for; null when it asks for the whole file.</summary>
    public static int? From(string head)
    {
        string? range = head.Split("\r\n").FirstOrDefault(l => l.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase));
        return range is null ? null : int.Parse(range["Range: bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                await ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            var stream = client.GetStream();
            var head = new StringBuilder();
            var buffer = new byte[4096];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                int read = await stream.ReadAsync(buffer);
                if (read == 0)
                {
                    return;
                }

                head.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }

            Requests.Enqueue(head.ToString());
            await stream.WriteAsync(_answer(head.ToString()));
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (IOException)
        {
            // The other side hung up, as it does when it refuses what it is sent.
        }
    }
}
