using System.ComponentModel;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;

namespace Atrium.Core.Resources;

/// <summary>An application that could not be told that a session has ended, or could not do what it was told.</summary>
public sealed record LogoutNoticeResource
{
    public required string SessionId { get; init; }

    public required string UserId { get; init; }

    [Description("The `client_id` of the application.")]
    public required string ClientId { get; init; }

    [Description("How often it was tried.")]
    public required int Attempts { get; init; }

    [Description("Why the last try failed.")]
    public required string Error { get; init; }

    public static LogoutNoticeResource Of(LogoutNotice notice, Client client, string error) => new()
    {
        SessionId = notice.SessionId.ToString(),
        UserId = notice.UserId.ToString(),
        ClientId = client.ClientId,
        Attempts = notice.Attempts,
        Error = error,
    };
}
