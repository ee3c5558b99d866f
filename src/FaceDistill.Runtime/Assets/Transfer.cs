using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>The line went down, or the server did, before the whole file came: worth another attempt.</summary>
internal sealed class LineCutException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Single attempts at one download.</summary>
internal sealed class Transfer(HttpClient client, DownloadPart part, long maxBytes, TimeSpan idle, IProgress<WorkProgress>? progress)
{
    private const int BufferBytes = 1 << 17;
    private const int MaxHops = 10;

    // A host that never answered is most likely unreachable: no point in asking again.
    private bool _answered;

    /// <summary>The address.</summary>
    public Uri Source => part.Source;

    /// <summary>Whether the last attempts went on with a part instead of beginning at the first byte.</summary>
    public bool Resumed { get; private set; } = part.Length > 0;

    /// <summary>One attempt; when it returns, the part is the whole file as the server announced it.</summary>
    /// <exception cref="LineCutException">Worth another attempt.</exception>
    /// <exception cref="HttpRequestException">The server refuses or cannot be reached.</exception>
    /// <exception cref="FaceDistillException">The file is longer than the bound or than announced; the part is deleted.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (part.IsWhole)
        {
            return;
        }

        using var watch = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        watch.CancelAfter(idle);
        try
        {
            using var response = await SendAsync(watch.Token).ConfigureAwait(false);
            Accept(response);
            await CopyAsync(response, watch).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (watch.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new LineCutException($"nothing came for {idle.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s", e);
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, "no answer");
        }
        catch (HttpRequestException e) when (e.StatusCode is null && (_answered || e.HttpRequestError == HttpRequestError.ResponseEnded))
        {
            throw Cut(e);
        }

        if (part.Total is { } total && part.Length < total)
        {
            throw Cut(null);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(CancellationToken cancellation)
    {
        var address = part.Source;
        for (int hops = 0; ; hops++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            long have = part.Length;
            Resumed = have > 0;
            if (Resumed)
            {
                request.Headers.Range = new RangeHeaderValue(have, null);
                request.Headers.IfRange = part.Condition;
            }

            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            address = Next(address, location.OriginalString, hops);
        }
    }

    // Checked before it is asked: a server may not send us to another kind of address.
    private Uri Next(Uri from, string location, int hops)
    {
        Uri? next = null;
        string? problem = hops >= MaxHops ? $"more than {MaxHops} times"
            : !Uri.TryCreate(from, location, out next) ? $"'{location}' is not an address"
            : AssetSource.UrlProblem(next.AbsoluteUri);
        return problem is null ? next! : throw new FaceDistillException($"{part.Source} leads elsewhere: {problem}");
    }

    // Decides what an answer means for the part: go on with it, begin anew, or no file at all.
    private void Accept(HttpResponseMessage response)
    {
        _answered = true;
        var headers = response.Content.Headers;
        long? total = response.StatusCode == HttpStatusCode.PartialContent ? headers.ContentRange?.Length : headers.ContentLength;
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                Resumed = false;
                part.Begin(response, total);
                break;
            case HttpStatusCode.PartialContent when Resumed && headers.ContentRange?.From == part.Length
                && (total is null || part.Total is null || total == part.Total):
                break;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable when Resumed:
                part.Delete();
                throw new LineCutException("the server does not go on where the line was cut");
            case >= HttpStatusCode.InternalServerError or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests:
                throw new LineCutException($"the server answers {(int)response.StatusCode} {response.StatusCode}");
            default:
                throw new HttpRequestException(null, null, response.StatusCode);
        }

        if (total > maxBytes)
        {
            throw TooLong($"the server announces {total} bytes, more than the {maxBytes} that the card allows");
        }
    }

    private async Task CopyAsync(HttpResponseMessage response, CancellationTokenSource watch)
    {
        long have = part.Length;
        long? total = part.Total;
        var buffer = new byte[BufferBytes];
        using var body = await response.Content.ReadAsStreamAsync(watch.Token).ConfigureAwait(false);
        using var file = part.Append();
        while (true)
        {
            watch.CancelAfter(idle);
            int read = await ReadAsync(body, buffer, watch.Token).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            have += read;
            if (have > Math.Min(total ?? maxBytes, maxBytes))
            {
                file.Dispose();
                throw TooLong($"the server sends more than the {Math.Min(total ?? maxBytes, maxBytes)} bytes "
                    + (total <= maxBytes ? "that it announced" : "that the card allows"));
            }

            await file.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None).ConfigureAwait(false);
            progress?.Report(new WorkProgress($"downloading {part.Name}", have, total ?? 0, "bytes"));
        }

        file.Flush(flushToDisk: true);
    }

    // Apart from the writing, whose failure is the disk's and not the line's.
    private async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellation)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellation).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw Cut(e);
        }
    }

    private FaceDistillException TooLong(string what)
    {
        part.Delete();
        return new FaceDistillException($"{part.Source}: {what}; nothing was kept");
    }

    private LineCutException Cut(Exception? cause) => new(
        InvariantText.Of($"the line was cut at {part.Length} of {(part.Total is { } total ? total : "unknown")} bytes"), cause);
}
