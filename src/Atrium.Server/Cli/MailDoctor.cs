using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Server.Mail;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>What <c>atrium doctor</c> says about mail: whether it can leave, and whether it does.</summary>
internal static class MailDoctor
{
    private const string Matter = "mail";

    /// <summary>The schema from which on letters are queued.</summary>
    private const long Since = 9;

    public static async Task<Finding> TransportAsync(AtriumOptions options, CancellationToken cancellationToken)
    {
        MailSettings settings;
        try
        {
            settings = MailSettings.Of(options);
        }
        catch (FormatException e)
        {
            return Finding.Bad(Matter, e.Message, "Until then no server starts.");
        }

        return settings switch
        {
            { Smtp: { } server } => await SmtpProbe.ProblemAsync(server, cancellationToken) is { } problem
                ? Finding.Bad(Matter, $"the mail server {server}: {problem}", "Letters wait and are tried again for a day. See whether the server runs and the network leads there.")
                : Finding.Good(Matter, $"{server} takes it, from {settings.From.Address}"),
            { Folder: { } folder } => Finding.Good(Matter, $"is put into {Path.GetFullPath(folder)}, from {settings.From.Address}"),
            _ => Finding.Good(
                Matter,
                "none is sent, since no server is named with --smtp; your back end reads a verification code with GET /user_management/email_verification/{id} and mails it"),
        };
    }

    /// <summary>What waits, and what could not be sent.</summary>
    public static async Task<IEnumerable<Finding>> QueueAsync(Database database, long schema, CancellationToken cancellationToken)
    {
        if (schema < Since)
            return [];
        MailStore store = new(database);
        List<Finding> findings = [];
        foreach (Id<Realm> realm in await new StorageKeyStore(database).RealmsAsync(cancellationToken))
        {
            MailState state = await store.StateAsync(realm, cancellationToken);
            if (state is { Waiting: > 0, WaitingError: { } error })
                findings.Add(Finding.Warning(Matter, $"{realm}: {state.Waiting} wait, the oldest since {state.Since:u}. {error}", "They are tried again for a day."));
            if (state.GivenUp > 0)
                findings.Add(Finding.Warning(Matter, $"{realm}: {state.GivenUp} were given up in the last 7 days. {state.GivenUpError}", "An invitation can be sent again, with POST .../invitations/{id}/resend."));
        }

        return findings;
    }
}
