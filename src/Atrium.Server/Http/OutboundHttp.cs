using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Atrium.Server.Hosting;
using IPNetwork = System.Net.IPNetwork;

namespace Atrium.Server.Http;

/// <summary>What came back from outside.</summary>
/// <param name="StatusCode">Null when nothing did.</param>
/// <param name="Body">Its beginning; what is not UTF-8 in it is replaced.</param>
/// <param name="RetryAfter">How long it asks to wait.</param>
/// <param name="Error">Why nothing came, in a sentence without secrets.</param>
public sealed record OutboundAnswer(int? StatusCode, string? Body, TimeSpan? RetryAfter, string? Error, TimeSpan Duration);

/// <summary>
/// Requests to addresses that somebody else has named. They can't reach this machine or its network unless the operator allows it: the name is
/// resolved here, every address that it has is judged, and the connection goes to the address that was judged, so that a name which points
/// elsewhere a moment later gains nothing. No redirect is followed, no proxy is taken from the environment, and nothing is sent without TLS but to
/// an address that is allowed by name.
/// </summary>
public sealed class OutboundHttp : IDisposable
{
    /// <summary>How much of an answer is read.</summary>
    public const int MaxAnswerBytes = 4 * 1024;

    private const string ThisMachine = "127.0.0.0/8,::1";

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A name that moves is noticed after this time at the latest.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> resolve;
    private readonly IReadOnlyList<IPNetwork> allowed;
    private readonly TimeProvider clock;
    private readonly HttpClient client;

    public OutboundHttp(AtriumOptions options, TimeProvider clock)
        : this(Networks.Parse(options.OutboundAllow ?? (options.Demo ? ThisMachine : "")), System.Net.Dns.GetHostAddressesAsync, clock)
    {
    }

    /// <param name="allowed">Networks that may be reached although they are not public, and without TLS.</param>
    /// <param name="resolve">The addresses of a name.</param>
    public OutboundHttp(IReadOnlyList<IPNetwork> allowed, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider clock)
    {
        this.allowed = allowed;
        this.resolve = resolve;
        this.clock = clock;
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
            MaxResponseHeadersLength = 16,
            ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
            ConnectCallback = ConnectAsync,
        })
        {
            // Each request brings its own.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.UserAgent.ParseAdd($"Atrium/{AtriumVersion.Text}");
    }

    /// <summary>What is wrong with an address that somebody names, as far as it shows without looking its name up; null when nothing is.</summary>
    public string? Problem(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0)
            return "must be an absolute https address";
        if (uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
            return "must have neither a user nor a fragment";
        bool isLiteral = IPAddress.TryParse(uri.IdnHost.Trim('[', ']'), out IPAddress? address);
        if (isLiteral && !MayReach(address!, uri.Scheme))
            return $"must not point at {address}: {Refusal(uri.Scheme)}";
        return uri.Scheme == "http" && !isLiteral && allowed.Count == 0 ? "must be an absolute https address" : null;
    }

    /// <summary>Sends it and reads the beginning of the answer. Whatever goes wrong on the way is an answer too.</summary>
    /// <exception cref="OperationCanceledException">The caller's own token ended it.</exception>
    public async Task<OutboundAnswer> SendAsync(HttpRequestMessage request, TimeSpan timeout, CancellationToken cancellationToken)
    {
        long began = clock.GetTimestamp();
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            string body = await ReadAsync(response, limit.Token);
            return new((int)response.StatusCode, body, RetryAfterOf(response), Error: null, clock.GetElapsedTime(began));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed($"No answer within {timeout.TotalSeconds:0.###} s.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OutboundRefusedException)
        {
            return Failed(Innermost(e).Message);
        }

        OutboundAnswer Failed(string error) => new(StatusCode: null, Body: null, RetryAfter: null, error, clock.GetElapsedTime(began));
    }

    public void Dispose() => client.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        string host = context.DnsEndPoint.Host;
        string scheme = context.InitialRequestMessage.RequestUri!.Scheme;
        IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? literal) ? [literal] : await ResolveAsync(host, cancellationToken);
        IPAddress[] reachable = [.. addresses.Where(address => MayReach(address, scheme))];
        if (reachable.Length == 0)
            throw new OutboundRefusedException($"{host} is {string.Join(", ", addresses.Select(static address => address.ToString()))}: {Refusal(scheme)}.");
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(reachable, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return await resolve(host, cancellationToken) is { Length: > 0 } addresses ? addresses : throw new OutboundRefusedException($"{host} has no address.");
        }
        catch (SocketException e)
        {
            throw new OutboundRefusedException($"{host} can't be resolved: {e.Message}");
        }
    }

    private bool MayReach(IPAddress address, string scheme)
    {
        IPAddress reached = PublicAddresses.Reached(address);
        return allowed.Any(network => network.Contains(reached)) || (scheme == "https" && PublicAddresses.IsPublic(reached));
    }

    private string Refusal(string scheme) => scheme == "https" ? "that is not a public address, and not allowed" : "that may not be reached without TLS";

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        byte[] buffer = new byte[MaxAnswerBytes];
        int length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);

        // PostgreSQL keeps no zero characters.
        return Encoding.UTF8.GetString(buffer, 0, length).Replace('\0', '\uFFFD');
    }

    /// <summary>RFC 9110 section 10.2.3: seconds, or a date.</summary>
    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        TimeSpan? wait = response.Headers.RetryAfter is { } header ? header.Delta ?? header.Date - clock.GetUtcNow() : null;
        return wait > TimeSpan.Zero ? wait : null;
    }

    private static Exception Innermost(Exception e)
    {
        while (e is not OutboundRefusedException && e.InnerException is { } inner)
            e = inner;
        return e;
    }
}

/// <summary>The address is not one that may be called.</summary>
public sealed class OutboundRefusedException(string message) : Exception(message);
