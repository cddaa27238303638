using Atrium.Server.Demo;
using Atrium.Server.Mail;
using Shouldly;

namespace Atrium.Tests.Harness;

/// <summary>What the server under test has sent into its folder.</summary>
internal sealed class Mailbox(DemoServer server)
{
    /// <summary>The letters to this address, oldest first, once all that is due was sent.</summary>
    public async Task<IReadOnlyList<EmlFile>> LettersAsync(string address)
    {
        await server.Get<MailDispatcher>().DeliverAsync(default);
        List<EmlFile> letters = [];
        if (!Directory.Exists(server.Options.MailFolder))
            return letters;
        foreach (string file in Directory.GetFiles(server.Options.MailFolder, "*.eml").Order(StringComparer.Ordinal))
        {
            if (await EmlFile.ReadAsync(await File.ReadAllBytesAsync(file), default) is { } letter && letter.To == address)
                letters.Add(letter);
        }

        return letters;
    }

    public async Task<EmlFile> NewestAsync(string address) => (await LettersAsync(address)).ShouldNotBeEmptyBy(address)[^1];

    /// <summary>The path of the link in the newest invitation to this address.</summary>
    public async Task<string> InvitationAsync(string address)
    {
        string text = (await NewestAsync(address)).Text;
        int start = text.IndexOf($"{server.Url}/t/", StringComparison.Ordinal);
        start.ShouldBeGreaterThan(0, text);
        return text[(start + server.Url.Length)..].Split((char[])['\r', '\n', ' '], 2)[0];
    }
}

file static class Letters
{
    public static IReadOnlyList<EmlFile> ShouldNotBeEmptyBy(this IReadOnlyList<EmlFile> letters, string address)
    {
        letters.ShouldNotBeEmpty($"a letter to {address}");
        return letters;
    }
}
