using System.Net.Mime;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Server.Mail;
using Atrium.Server.Pages;

namespace Atrium.Server.Demo;

/// <summary>The mail that the demo would have sent, to look at.</summary>
public static class DemoMail
{
    public const string Path = "/demo/mail";
    private const int Most = 100;

    /// <summary>
    /// A letter's HTML is its author's: it runs nothing and loads nothing, and its links open outside. Only our own page shows it within itself.
    /// </summary>
    private const string FramePolicy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, async (MailSettings settings, CancellationToken cancellationToken) =>
            PageResult.DemoMail(new DemoMailModel("Acme", settings.Folder, await ListAsync(settings, cancellationToken))));
        routes.MapGet($"{Path}/{{id}}", async (string id, MailSettings settings, CancellationToken cancellationToken) =>
            await FindAsync(settings, id, cancellationToken) is not { } letter
                ? Results.NotFound()
                : PageResult.DemoMail(new DemoMailModel(
                    "Acme",
                    settings.Folder,
                    await ListAsync(settings, cancellationToken),
                    new DemoLetter(letter.From, letter.To, letter.Subject, letter.Date, letter.Text, $"{Path}/{id}/html"))));
        routes.MapGet($"{Path}/{{id}}/html", async (string id, HttpContext context, MailSettings settings, CancellationToken cancellationToken) =>
        {
            if (await FindAsync(settings, id, cancellationToken) is not { } letter)
                return Results.NotFound();
            PageHeaders.Apply(context.Response);
            context.Response.Headers.ContentSecurityPolicy = FramePolicy;
            return Results.Text(letter.Html.Replace("<head>", "<head><base target=\"_blank\">", StringComparison.OrdinalIgnoreCase), MediaTypeNames.Text.Html);
        });
    }

    /// <summary>The newest letters, the last one first; their ids are in the order in which they were written.</summary>
    private static async Task<IReadOnlyList<DemoLetterLine>> ListAsync(MailSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Folder is not { } folder || !Directory.Exists(folder))
            return [];
        List<DemoLetterLine> letters = [];
        foreach (string id in Directory.EnumerateFiles(folder, $"*{MailFolder.Ending}")
            .Select(static file => System.IO.Path.GetFileNameWithoutExtension(file)).OrderDescending(StringComparer.Ordinal).Take(Most))
        {
            if (await FindAsync(settings, id, cancellationToken) is { } letter)
                letters.Add(new DemoLetterLine($"{Path}/{id}", letter.Subject, letter.To, letter.Date));
        }

        return letters;
    }

    private static async Task<EmlFile?> FindAsync(MailSettings settings, string id, CancellationToken cancellationToken)
    {
        if (settings.Folder is not { } folder || Id<QueuedMail>.Parse(id) is not { } parsed)
            return null;
        try
        {
            return await EmlFile.ReadAsync(await File.ReadAllBytesAsync(System.IO.Path.Combine(folder, $"{parsed}{MailFolder.Ending}"), cancellationToken), cancellationToken);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
