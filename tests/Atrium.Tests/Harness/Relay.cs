using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Atrium.Tests.Harness;

/// <summary>The network between a server and its PostgreSQL: it can be made slow, and it can break at a moment that a test chooses.</summary>
public sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly int target;
    private readonly Task accepting;
    private string? cutBehind;

    public Relay(int target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>How long each of the server's answers takes.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>The next connection on which this text is sent lets it through, and breaks before its answer comes.</summary>
    public void CutBehind(string text) => cutBehind = text;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = PassAsync(await listener.AcceptTcpClientAsync(stopping.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The end of the test.
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using TcpClient server = new();
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, target, stopping.Token);
                TaskCompletionSource cut = new(TaskCreationOptions.RunContinuationsAsynchronously);
                await Task.WhenAny(AskAsync(client.GetStream(), server.GetStream(), cut), AnswerAsync(server.GetStream(), client.GetStream(), cut.Task));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // One of the two is gone, and so is the other then.
            }
        }
    }

    private async Task AskAsync(NetworkStream from, NetworkStream to, TaskCompletionSource cut)
    {
        byte[] buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, stopping.Token)) > 0)
        {
            if (cutBehind is { } text && buffer.AsSpan(0, read).IndexOf(Encoding.UTF8.GetBytes(text)) >= 0 && Interlocked.CompareExchange(ref cutBehind, null, text) == text)
                cut.SetResult();
            await to.WriteAsync(buffer.AsMemory(0, read), stopping.Token);
        }
    }

    private async Task AnswerAsync(NetworkStream from, NetworkStream to, Task cut)
    {
        byte[] buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, stopping.Token)) > 0 && !cut.IsCompleted)
        {
            await Task.Delay(Delay, stopping.Token);
            await to.WriteAsync(buffer.AsMemory(0, read), stopping.Token);
        }
    }
}
