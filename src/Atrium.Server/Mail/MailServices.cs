namespace Atrium.Server.Mail;

public static class MailServices
{
    public static IServiceCollection AddMail(this IServiceCollection services, MailSettings settings) => services
        .AddSingleton(settings)
        .AddSingleton<IMailTransport>(settings switch
        {
            { Smtp: { } server } => new SmtpMail(server, settings.From),
            { Folder: { } folder } => new MailFolder(folder, settings.From),
            _ => new NoMail(),
        })
        .AddSingleton<MailDesk>()
        .AddSingleton<MailDispatcher>();
}
