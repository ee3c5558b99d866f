using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FaceDistill.Attack;

/// <summary>A web server on loopback that answers as it is told, however wrong.</summary>
internal sealed class Loopback : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Action<string, NetworkStream> _answer;

    /// <summary>Starts.</summary>
    /// <param name="answer">Gets a request's head, and writes the raw answer.</param>
    public Loopback(Action<string, NetworkStream> answer)
    {
        _answer = answer;
        _listener.Start();
        new Thread(Serve) { IsBackground = true }.Start();
    }

    /// <summary>The port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>An address of it.</summary>
    public string Url(string path = "m.onnx") => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/{path}");

    /// <summary>Writes a head and a body.</summary>
    public static void Answer(NetworkStream stream, string status, string headers, ReadOnlySpan<byte> body)
    {
        stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers.ReplaceLineEndings("\r\n")}Connection: close\r\n\r\n"));
        stream.Write(body);
    }

    /// <summary>Writes a whole file.</summary>
    public static void Whole(NetworkStream stream, byte[] body) => Answer(stream, "200 OK", $"Content-Length: {body.Length}\n", body);

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Serve()
    {
        try
        {
            while (true)
            {
                var client = _listener.AcceptTcpClient();
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The case is over.
        }
    }

    private void Serve(TcpClient client)
    {
        try
        {
            using var held = client;
            var stream = client.GetStream();
            var head = new StringBuilder();
            byte[] buffer = new byte[4096];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                int read = stream.Read(buffer);
                if (read == 0)
                {
                    return;
                }

                head.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }

            _answer(head.ToString(), stream);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The other side hung up, as it does when it refuses what it is sent, or is killed.
        }
    }
}
