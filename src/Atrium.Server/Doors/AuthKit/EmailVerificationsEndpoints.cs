using Atrium.Core.Realms;
using Atrium.Core;
using Atrium.Core.Users;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>Codes for mailboxes: the product's back end reads them here and sends the mail.</summary>
public static class EmailVerificationsEndpoints
{
    public static void MapEmailVerifications(this RouteGroupBuilder api) =>
        api.MapGet("/user_management/email_verification/{id}", GetAsync).Needs(ApiScopes.UsersRead);

    private static async Task<IResult> GetAsync(
        string id, HttpContext context, FactorStore store, EmailCodes codes, CancellationToken cancellationToken)
    {
        if (Id<EmailVerification>.Parse(id) is not { } parsed
            || await store.FindVerificationAsync(context.Caller().Realm, parsed, cancellationToken) is not { } verification
            || codes.Reveal(verification) is not { } code)
        {
            return AuthKitError.EntityNotFound("Email Verification", id);
        }

        return new JsonAnswer<EmailVerificationJson>(
            new EmailVerificationJson
            {
                Id = verification.Id.ToString(),
                UserId = verification.UserId.ToString(),
                Email = verification.Email,
                ExpiresAt = verification.ExpiresAt,
                Code = code,
                CreatedAt = verification.CreatedAt,
                UpdatedAt = verification.SpentAt ?? verification.CreatedAt,
            },
            AuthKitJson.Default.EmailVerificationJson);
    }
}
