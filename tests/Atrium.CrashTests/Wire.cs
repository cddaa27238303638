using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Atrium.CrashTests;

/// <summary>What goes wrong at the moment, and so what the server may answer.</summary>
internal enum Trouble
{
    None,
    ServerIsKilled,
    DatabaseIsAway,
}

/// <summary>How a request ended.</summary>
internal enum Ending
{
    /// <summary>Done, and acknowledged.</summary>
    Done,

    /// <summary>Refused, and nothing done.</summary>
    Refused,

    /// <summary>No answer, or one that says that the server can't tell: it may have been done or not.</summary>
    Unknown,
}

/// <summary>An answer, or that there was none.</summary>
internal sealed record Reply(Ending Ending, int Status, string Body, string? Location, IReadOnlyList<string> Cookies)
{
    public static readonly Reply None = new(Ending.Unknown, 0, "", null, []);

    /// <summary>A member of the JSON object that the answer is; null when it has none.</summary>
    public string? this[string name] => Body.StartsWith('{') && JsonElement.Parse(Body).TryGetProperty(name, out JsonElement value) ? value.ToString() : null;

    public override string ToString() => $"{Status} {(Body.Length > 300 ? Body[..300] : Body)}";
}

/// <summary>Sends requests to the server over all its lives, and holds it to what it may answer.</summary>
internal sealed class Wire(Uri url, Verdict verdict) : IDisposable
{
    /// <summary>Connecting to a database may take 5 s and a statement 10 s; longer than both, and nobody is answering.</summary>
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<int, int> statuses = new();
    private HttpClient http = NewClient(url);
    private volatile Trouble trouble;

    public Uri Url => url;

    public Trouble Trouble
    {
        get => trouble;
        set => trouble = value;
    }

    /// <summary>Forgets the connections to a server that was killed.</summary>
    public void Reconnect()
    {
        http.Dispose();
        http = NewClient(url);
    }

    /// <summary>How many answers with this status there were since the last <see cref="StartCounting"/>.</summary>
    public int Count(int status) => statuses.GetValueOrDefault(status);

    public void StartCounting() => statuses.Clear();

    /// <summary>How many answers there were of each status.</summary>
    public string Counts() =>
        string.Join(", ", statuses.OrderBy(static entry => entry.Key).Select(static entry => $"{(entry.Key == 0 ? "none" : entry.Key)}: {entry.Value}"));

    public async Task<Reply> SendAsync(HttpRequestMessage request)
    {
        string name = $"{request.Method} {request.RequestUri}".Split('?')[0];
        Trouble before = trouble;
        long sent = Stopwatch.GetTimestamp();
        Reply reply = Reply.None;
        string fault = "";
        bool saysWhenToRetry = false;
        try
        {
            using HttpRequestMessage disposed = request;
            using HttpResponseMessage response = await http.SendAsync(request);
            string body = await response.Content.ReadAsStringAsync();
            int status = (int)response.StatusCode;
            saysWhenToRetry = response.Headers.RetryAfter is not null;
            reply = new Reply(
                status switch { < 400 => Ending.Done, < 500 => Ending.Refused, _ => Ending.Unknown },
                status,
                body,
                response.Headers.Location?.OriginalString,
                response.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? cookies) ? [.. cookies] : []);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            fault = e is TaskCanceledException ? $"no answer within {AnsweredWithin.TotalSeconds} s" : e.Message;
        }

        statuses.AddOrUpdate(reply.Status, 1, static (_, count) => count + 1);
        string? wrong = reply switch
        {
            { Status: 0 } => before == Trouble.ServerIsKilled || trouble == Trouble.ServerIsKilled ? null : fault,
            { Status: 503 } when !saysWhenToRetry => "503 without Retry-After",
            { Status: 503 } => before == Trouble.DatabaseIsAway || trouble == Trouble.DatabaseIsAway ? null : "503 with the database there",
            { Ending: Ending.Unknown } => reply.ToString(),
            _ => null,
        };
        if (wrong is not null)
            verdict.Broken(Promise.Answers, $"{name}: {wrong} (after {Stopwatch.GetElapsedTime(sent).TotalSeconds:0.0} s)");
        else if (reply.Status != 0)
            verdict.Kept(Promise.Answers);
        return reply;
    }

    public void Dispose() => http.Dispose();

    private static HttpClient NewClient(Uri url) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = url, Timeout = AnsweredWithin };
}
