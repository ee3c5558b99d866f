using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FaceDistill.Tests.Reports;

/// <summary>One page in a headless Chromium, driven by the DevTools protocol over its web socket.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    private static readonly JsonSerializerOptions WithoutNulls = new()
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };
    private readonly TempFolder _profile = new();
    private readonly ClientWebSocket _socket = new();
    private readonly Process _process;
    private int _last;
    private string? _session;

    private Chromium(string[] more) => _process = Process.Start(new ProcessStartInfo(Program!,
        ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
            $"--user-data-dir={_profile.Path}", .. more, "about:blank"])
    {
        RedirectStandardError = true,
        RedirectStandardOutput = true,
    })!;

    /// <summary>The browser's path; null where there is none.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    /// <summary>Whatever the page complained of: exceptions, console errors, refused or failed loads.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Every address that the page asked for.</summary>
    public List<string> Requests { get; } = [];

    public static async Task<Chromium> Open(string file, int width, int height, params string[] more)
    {
        var browser = new Chromium(more);
        try
        {
            await browser.Connect();
            var target = await browser.Send("Target.createTarget", new { url = "about:blank" });
            browser._session = (string)(await browser.Send(
                "Target.attachToTarget", new { targetId = (string)target["targetId"]!, flatten = true }))["sessionId"]!;
            foreach (string domain in new[] { "Page", "Runtime", "Log", "Network" })
            {
                await browser.Send($"{domain}.enable");
            }

            await browser.Send("Emulation.setDeviceMetricsOverride", new { width, height, deviceScaleFactor = 1, mobile = false });
            await browser.Visit(file);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens another file, or an http: address, in the same window.</summary>
    public async Task Visit(string file)
    {
        string url = file.StartsWith("http:", StringComparison.Ordinal) ? file : new Uri(Path.GetFullPath(file)).AbsoluteUri;
        await Send("Page.navigate", new { url });
        await Evaluate("new Promise(done => document.readyState === 'complete' ? done(0) : addEventListener('load', () => done(0)))");
        await Evaluate("new Promise(done => setTimeout(done, 200))"); // late complaints
    }

    /// <summary>What an expression gives, awaited.</summary>
    public async Task<JsonNode?> Evaluate(string expression)
    {
        var answer = await Send("Runtime.evaluate", new { expression, returnByValue = true, awaitPromise = true });
        return answer["exceptionDetails"] is { } wrong ? throw new InvalidOperationException(wrong.ToJsonString()) : answer["result"]!["value"];
    }

    public async Task Press(string key, int code)
    {
        await Send("Input.dispatchKeyEvent", new { type = "keyDown", key, code = key, windowsVirtualKeyCode = code });
        await Send("Input.dispatchKeyEvent", new { type = "keyUp", key, code = key, windowsVirtualKeyCode = code });
    }

    public async Task<byte[]> Print() => Convert.FromBase64String((string)(await Send("Page.printToPDF", new { printBackground = true }))["data"]!);

    public async Task<JsonNode> Send(string method, object? parameters = null)
    {
        int id = ++_last;
        var message = new { id, method, @params = parameters ?? new { }, sessionId = _session };
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(message, WithoutNulls);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _socket.SendAsync(bytes, WebSocketMessageType.Text, true, patience.Token);
        while (true)
        {
            var received = await Receive(patience.Token);
            if ((int?)received["id"] == id)
            {
                return received["result"] ?? throw new InvalidOperationException($"{method}: {received["error"]?.ToJsonString()}");
            }

            Note(received);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        for (int attempt = 0; Directory.Exists(_profile.Path); attempt++)
        {
            try
            {
                _profile.Dispose();
            }
            catch (IOException) when (attempt < 20)
            {
                await Task.Delay(100); // a helper process of the browser still writes
            }
        }
    }

    private async Task Connect()
    {
        string portFile = _profile["DevToolsActivePort"];
        for (int i = 0; i < 300 && !(File.Exists(portFile) && (await File.ReadAllLinesAsync(portFile)).Length == 2); i++)
        {
            await Task.Delay(100);
        }

        string[] lines = await File.ReadAllLinesAsync(portFile);
        await _socket.ConnectAsync(new Uri($"ws://127.0.0.1:{lines[0]}{lines[1]}"), CancellationToken.None);
    }

    private void Note(JsonNode message)
    {
        var of = message["params"];
        switch ((string?)message["method"])
        {
            case "Runtime.exceptionThrown" or "Network.loadingFailed":
            case "Log.entryAdded" when (string?)of!["entry"]!["level"] == "error":
            case "Runtime.consoleAPICalled" when (string?)of!["type"] is "error" or "assert":
                Complaints.Add(of!.ToJsonString());
                break;
            case "Network.requestWillBeSent":
                Requests.Add((string)of!["request"]!["url"]!);
                break;
            default:
                break;
        }
    }

    private async Task<JsonNode> Receive(CancellationToken cancel)
    {
        using var text = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, cancel);
            text.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(Encoding.UTF8.GetString(text.ToArray()))!;
    }
}
